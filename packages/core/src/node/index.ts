export {
  type CalibrateOptions,
  type CalibrationData,
  type CalibrationResult,
  calibrate,
} from './calibrate.ts';
export * from './calibrate-file.ts';
export * from './calibrate-merge.ts';
export type { CalibrationSample } from './calibrate-samples.ts';
export type { CalibrationSettings, OpenCalibrationData, SessionInput } from './calibration-options.ts';
export * from './choose-target.ts';
export { parseCpuInfo, parseSysctl, readCpuFacts } from './cpu-facts.ts';
export * from './discover-backends.ts';
export { FileSource } from './file-source.ts';
export * from './inspect.ts';
export * from './load-model.ts';
export * from './model-folder.ts';
export * from './prepare.ts';
export { quantize } from './quantize.ts';
export * from './save-model.ts';
export type { QuantizeOptions } from './session-context.ts';
export * from './staged-output.ts';
