import { defineBackend, type TargetSpec } from '@optimum/core';
import { cpuRecipes, onnxruntime } from '@optimum/runtime-onnxruntime';
import targets from '../targets.json' with { type: 'json' };

/** Intel Xeon Scalable processors from Skylake on, each as a named target with its features and sources. */
export default defineBackend({
  specVersion: 1,
  id: 'intel-xeon',
  runtime: onnxruntime,
  targets: targets as readonly TargetSpec[],
  recipes: cpuRecipes,
});
