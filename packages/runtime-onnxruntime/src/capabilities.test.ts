import { testBackend } from '@optimum/backend-testkit';
import { defineBackend } from '@optimum/core';
import { describe, it } from 'vitest';
import { emulatedHaswell } from '../../../tools/testing/emulated-runtime.ts';
import { cpuRecipes } from './recipes.ts';
import { onnxruntime } from './runtime.ts';

/** The runtime alone: the least backend that there can be. */
const backend = defineBackend({
  specVersion: 1,
  id: 'onnxruntime',
  runtime: onnxruntime,
  targets: [
    {
      id: 'any',
      name: 'Any CPU',
      match: [],
      features: [],
      everywhere: true,
      specificity: 0,
      sources: ['for the claims of the runtime, which are of no target'],
    },
  ],
  recipes: cpuRecipes,
});

testBackend(backend, { describe, it, emulated: emulatedHaswell() });
