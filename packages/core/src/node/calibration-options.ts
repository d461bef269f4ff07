import type { Dim, ElementType } from '../ir/index.ts';
import type { CalibrationMethod, Statistics } from '../observe/index.ts';
import type { StaticForm } from '../plan/index.ts';
import type { CalibrationData } from './calibrate.ts';

/** What a session has to be given, so that data can be made into it. */
export interface SessionInput {
  readonly name: string;
  readonly elementType: ElementType;
  readonly shape: readonly Dim[] | undefined;
}

/** Opens the data for one session; `undefined` when none of it fits that session. */
export type OpenCalibrationData = (
  session: string,
  inputs: readonly SessionInput[],
) => Promise<CalibrationData | undefined>;

/** How ranges of activations are found, for modes that need them and for the accuracy algorithms. */
export interface CalibrationSettings {
  /** @defaultValue percentile 99.999 */
  readonly method?: CalibrationMethod | undefined;
  /** Samples at most. @defaultValue 100 */
  readonly samples?: number | undefined;
  /** Without it, inputs are made up from the model's signature, and the report says so. */
  readonly data?: OpenCalibrationData | undefined;
  /** What `calibrate` found before, in place of running the data. */
  readonly statistics?: Statistics | undefined;
}

/** Accuracy algorithms; each is off unless it is asked for. */
export interface AlgorithmSettings {
  readonly smoothQuant?: boolean | undefined;
  readonly biasCorrection?: boolean | undefined;
  readonly crossLayerEqualization?: boolean | undefined;
  readonly adaround?: boolean | undefined;
}

/** What decides how a session becomes integer, beside its target. */
export interface QuantizationSettings {
  readonly form?: StaticForm | undefined;
  readonly calibration?: CalibrationSettings | undefined;
  readonly algorithms?: AlgorithmSettings | undefined;
}
