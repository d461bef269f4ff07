import { readFileSync } from 'node:fs';
import { defineBackend, type TargetSpec } from '@optimum/core';
import { cpuRecipes, onnxruntime } from '@optimum/runtime-onnxruntime';

const file = new URL('../targets.json', import.meta.url);
const targets: readonly TargetSpec[] = JSON.parse(readFileSync(file, 'utf8'));

/** Arm Neoverse cores as named targets, whoever makes them, on ONNX Runtime with its kernels and recipes. */
export default defineBackend({
  specVersion: 1,
  id: 'arm-neoverse',
  runtime: onnxruntime,
  targets,
  recipes: cpuRecipes,
});
