import type { TensorData } from '../backend/index.ts';
import type { ProgressListener } from '../pipeline/index.ts';
import type { SessionFile } from './model-folder.ts';
import type { Preparation, PrepareOptions } from './prepare.ts';
import type { RetargetClaims } from './retarget-claims.ts';

export interface RetargetOptions extends Omit<PrepareOptions, 'recipe' | 'mode'> {
  /** A quantized model: one `.onnx` file, or a model folder. */
  readonly input: string;
  /** @defaultValue `INPUT_retargeted.onnx`, or `FOLDER-retargeted` */
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
  /** Only say what would be done: write nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onEvent?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one session is treated with. */
export interface RetargetContext {
  readonly options: RetargetOptions;
  readonly preparation: Preparation;
  readonly claims: RetargetClaims;
  /** Where the result will be once it is published. */
  readonly finalPath: (session: SessionFile) => string;
}
