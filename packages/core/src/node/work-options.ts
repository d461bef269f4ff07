import type { TensorData } from '../backend/index.ts';
import type { ProgressListener } from '../pipeline/index.ts';

/** What every command that turns a model into another one takes. */
export interface WorkOptions {
  /** A model folder or one `.onnx` file. */
  readonly input: string;
  /** @defaultValue a name beside the input that says what was done */
  readonly output?: string | undefined;
  /** Replace what exists. */
  readonly force?: boolean | undefined;
  /** Inputs to compare on, beside those that are made up; used for the sessions that take them. */
  readonly data?: readonly Readonly<Record<string, TensorData>>[] | undefined;
  /** Leave out the timing, which takes a few seconds. @defaultValue true */
  readonly timing?: boolean | undefined;
  /** Threads of the sessions that are timed side by side. @defaultValue 1 */
  readonly timingThreads?: number | undefined;
  /** Leave out the proof on the runtime. @defaultValue true */
  readonly verify?: boolean | undefined;
  /** Only plan: write nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onEvent?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
}
