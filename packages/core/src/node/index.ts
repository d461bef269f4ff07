export { benchmark } from './benchmark.ts';
export { cpuClassOf } from './benchmark-machine.ts';
export type { BenchmarkRequest } from './benchmark-request.ts';
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
export { checkBackend } from './check-backend.ts';
export * from './choose-target.ts';
export { parseCpuInfo, parseSysctl, readCpuFacts } from './cpu-facts.ts';
export * from './discover-backends.ts';
export { checkTargets } from './discover-backends-check.ts';
export * from './explain.ts';
export { fileChunks } from './file-chunks.ts';
export { FileSource } from './file-source.ts';
export { guardHooks } from './guard-hooks.ts';
export { type ImportOptions, importBackend } from './import-backend.ts';
export * from './inspect.ts';
export * from './load-model.ts';
export { quietShare, watchBusyShare } from './machine-load.ts';
export * from './model-folder.ts';
export * from './predict-file.ts';
export * from './prepare.ts';
export * from './probe-cache.ts';
export { quantize } from './quantize.ts';
export { retarget } from './retarget.ts';
export type { RetargetOptions } from './retarget-options.ts';
export * from './save-model.ts';
export type { QuantizeOptions } from './session-context.ts';
export * from './staged-output.ts';
