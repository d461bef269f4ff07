import type { ActivationScheme } from '../../observe/index.ts';
import type { ValueInfo } from '../../plan/index.ts';
import type { Mode } from './capability.ts';

/** How embedding tables (Gather on a constant) are stored. */
export type EmbeddingScheme = 'int8-row' | 'uint8-tensor' | 'float';

/**
 * A named, readable set of choices, for people to pick by name. Data only: it knows no hardware (targets do) and no
 * kernels (capabilities do).
 */
export interface Recipe {
  readonly id: string;
  /** One sentence: what comes out, and for whom. */
  readonly description: string;
  /** `auto`: per operator, whichever of dynamic, static and float is fastest. */
  readonly mode: Mode | 'auto';
  /** `by-capability`: the fastest exact scheme of the target. The others are fixed schemes. */
  readonly weights: 'by-capability' | 'int8-channel' | 'int8-tensor' | 'uint8-tensor';
  readonly embeddings: EmbeddingScheme;
  /** How activations with ranges from calibration are stored. @defaultValue uint8, asymmetric */
  readonly activations?: ActivationScheme;
  /**
   * What static quantization reaches. `weights`: operators with weights, and what moves numbers between them; their
   * results go on in float where no integer operator reads them. `all`: products of two activations too, and every
   * result is an integer, for devices that know nothing else. @defaultValue 'weights'
   */
  readonly reach?: 'weights' | 'all';
  /** Operators that may be quantized. */
  readonly operators: readonly string[];
  /** `anywhere`: wherever they hide, in subgraphs too. `initializers`: only direct initializers of the main graph. */
  readonly weightsFrom: 'anywhere' | 'initializers';
  /** Tables with fewer elements than this are not worth the operators that read them. */
  readonly smallestTable: number;
  /** What becomes of the shapes of inner values in the output. */
  readonly valueInfo: ValueInfo;
  /** Nodes stay float where the capability says that they get no faster. */
  readonly onlyIfFaster: boolean;
  /** Session entries with which the model should be run, as `SessionOptions.config`. */
  readonly session: Readonly<Record<string, string>>;
  /** How it is best served. @defaultValue one process with the threads that the user gives it */
  readonly serving?: ServingSettings;
}

/** Processes and threads with which a model should be served. `all`: every core that the process is granted. */
export interface ServingSettings {
  readonly threads: number | 'all';
  /** `per-core`: as many processes of one thread as there are granted cores. */
  readonly instances: number | 'per-core';
  /** False where cores are shared: waiting threads then sleep. */
  readonly spinning?: boolean;
}
