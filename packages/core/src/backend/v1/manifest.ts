/**
 * The `"optimum": { "backend": … }` entry of a partner's package.json: enough to list and to choose without running
 * its code. Both paths must stay inside the package.
 */
export interface BackendManifest {
  /** Name for `--backend`; the same as the backend's own id. */
  readonly id: string;
  /** Version of the contract that it is written for: the folder `v1` here. */
  readonly spec: 1;
  /** Module that exports the backend by default, relative to the package. */
  readonly entry: string;
  /** JSON file with its `TargetSpec`s, relative to the package. */
  readonly targets: string;
}
