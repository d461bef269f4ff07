import type { TensorData } from '../backend/index.ts';
import type { ProgressListener } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import type { QuantizationSettings } from './calibration-options.ts';
import type { SessionFile } from './model-folder.ts';
import type { Preparation, PrepareOptions } from './prepare.ts';

export interface QuantizeOptions extends PrepareOptions, QuantizationSettings {
  /** A model folder or one `.onnx` file. */
  readonly input: string;
  /** @defaultValue `INPUT_quantized.onnx`, or `FOLDER-optimized` */
  readonly output?: string | undefined;
  /** Replace what exists. */
  readonly force?: boolean | undefined;
  /** Selectors of nodes that stay float. */
  readonly exclude?: readonly string[] | undefined;
  /** A plan to follow; its entries override what would be decided. */
  readonly plan?: Plan | undefined;
  /** Inputs to compare on, beside those that are made up; used for the sessions that take them. */
  readonly data?: readonly Readonly<Record<string, TensorData>>[] | undefined;
  /** Sizes of the inputs that the model is made for: operators are chosen, and speed is measured, at them. @defaultValue 1 and 128 */
  readonly batch?: number | undefined;
  readonly sequence?: number | undefined;
  /** Threads of the work. @defaultValue two for models of 200 MB and more, else one */
  readonly threads?: number | undefined;
  /** Leave out the timing, which takes a few seconds. @defaultValue true */
  readonly timing?: boolean | undefined;
  /** Threads of the sessions that are timed side by side. @defaultValue 1 */
  readonly timingThreads?: number | undefined;
  /** Leave out the proof on the runtime. @defaultValue true */
  readonly verify?: boolean | undefined;
  /** Throw E_GOAL_NOT_MET when a model is not faster; it is published all the same. */
  readonly requireFaster?: boolean | undefined;
  /** Only plan: write nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onEvent?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one session is treated with. */
export interface SessionContext {
  readonly options: QuantizeOptions;
  readonly preparation: Preparation;
  readonly isFolder: boolean;
  /** Where the result will be once it is published. */
  readonly finalPath: (session: SessionFile) => string;
}
