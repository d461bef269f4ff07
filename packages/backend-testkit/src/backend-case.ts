/**
 * One thing that a backend must do, as a plain function: it fits any test framework, and a script. It holds no state, so
 * cases run in any order and alone.
 */
export interface BackendCase {
  /** Unique and stable: `claim matmul-dynamic-u8s8-vnni`, `recipe latency`, `target sapphire-rapids`, … */
  readonly name: string;
  /** Resolves when the backend does it. @throws BackendCaseError saying what it does instead */
  run(): Promise<void>;
  /** Why it cannot be run here. It is not a way to silence a failure: those are declared in `expectedFailures`. */
  readonly skip?: Skip;
}

export interface Skip {
  readonly reason: string;
  /**
   * The case is sure to fail here, by what the backend itself says (a claim that needs a feature which this CPU lacks),
   * and running it does no harm. It is run all the same, and passing means that what the backend says is wrong.
   */
  readonly mustFail: boolean;
}

/** What a backend did wrong, with what to do about it. */
export class BackendCaseError extends Error {
  override readonly name = 'BackendCaseError';
}

/** What became of a case: `skipped` is as good as `passed`, and says why. */
export type CaseResult =
  | { readonly name: string; readonly status: 'passed' }
  | { readonly name: string; readonly status: 'skipped'; readonly reason: string }
  | { readonly name: string; readonly status: 'failed'; readonly message: string };
