import type { Plan } from '../plan/index.ts';
import type { QuantizationSettings } from './calibration-options.ts';
import type { SessionFile } from './model-folder.ts';
import type { Preparation, PrepareOptions } from './prepare.ts';
import type { WorkOptions } from './work-options.ts';

/** `output` is `INPUT_quantized.onnx` or `FOLDER-optimized` unless it is said. */
export interface QuantizeOptions extends PrepareOptions, QuantizationSettings, WorkOptions {
  /** Selectors of nodes that stay float. */
  readonly exclude?: readonly string[] | undefined;
  /** A plan to follow; its entries override what would be decided. */
  readonly plan?: Plan | undefined;
  /** Sizes of the inputs that the model is made for: operators are chosen, and speed is measured, at them. @defaultValue 1 and 128 */
  readonly batch?: number | undefined;
  readonly sequence?: number | undefined;
  /** Threads of the work. @defaultValue two for models of 200 MB and more, else one */
  readonly threads?: number | undefined;
  /** Throw E_GOAL_NOT_MET when a model is not faster; it is published all the same. */
  readonly requireFaster?: boolean | undefined;
}

/** What one session is treated with. */
export interface SessionContext {
  readonly options: QuantizeOptions;
  readonly preparation: Preparation;
  readonly isFolder: boolean;
  /** Where the result will be once it is published. */
  readonly finalPath: (session: SessionFile) => string;
}
