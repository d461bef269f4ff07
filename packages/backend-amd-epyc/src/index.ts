import { defineBackend, type TargetSpec } from '@optimum/core';
import { cpuRecipes, onnxruntime } from '@optimum/runtime-onnxruntime';
import targets from '../targets.json' with { type: 'json' };

/** AMD EPYC processors from Zen 2 to Zen 5, each as a named target with its features and sources. */
export default defineBackend({
  specVersion: 1,
  id: 'amd-epyc',
  runtime: onnxruntime,
  targets: targets as readonly TargetSpec[],
  recipes: cpuRecipes,
});
