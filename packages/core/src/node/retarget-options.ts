import type { SessionFile } from './model-folder.ts';
import type { Preparation, PrepareOptions } from './prepare.ts';
import type { RetargetClaims } from './retarget-claims.ts';
import type { WorkOptions } from './work-options.ts';

/** `input` is a quantized model; `output` is `INPUT_retargeted.onnx` or `FOLDER-retargeted` unless it is said. */
export interface RetargetOptions extends Omit<PrepareOptions, 'recipe' | 'mode'>, WorkOptions {}

/** What one session is treated with. */
export interface RetargetContext {
  readonly options: RetargetOptions;
  readonly preparation: Preparation;
  readonly claims: RetargetClaims;
  /** Where the result will be once it is published. */
  readonly finalPath: (session: SessionFile) => string;
}
