export { capabilities } from './capabilities.ts';
export { cpuRecipes } from './recipes.ts';
export { createOnnxRuntime, type OnnxRuntimeOptions, onnxruntime } from './runtime.ts';
