import { defineBackend, type TargetSpec } from '@optimum/core';
import { cpuRecipes, onnxruntime } from '@optimum/runtime-onnxruntime';
import targets from '../targets.json' with { type: 'json' };

/** Any x86-64 or arm64 CPU by its instruction sets, and `portable`, which is right and fast on all of them. */
export default defineBackend({
  specVersion: 1,
  id: 'cpu',
  runtime: onnxruntime,
  targets: targets as readonly TargetSpec[],
  recipes: cpuRecipes,
});
