/** The `"optimum": { "backend": … }` entry of a partner's package.json: enough to list and choose without its code. */
export interface BackendManifest {
  readonly id: string;
  readonly spec: 1;
  /** Module that exports the backend by default, relative to the package. */
  readonly entry: string;
  /** JSON file with its `TargetSpec`s, relative to the package. */
  readonly targets: string;
}
