import { readFileSync } from 'node:fs';
import { annotate, matchTarget, type TargetSpec } from '@optimum/core';
import { loadModelSync, parseCpuInfo } from '@optimum/core/node';
import { cpuRecipes, onnxruntime } from '@optimum/runtime-onnxruntime';
import { describe, expect, it } from 'vitest';
import backend from './index.ts';

const at = (path: string): URL => new URL(path, import.meta.url);
const targets: readonly TargetSpec[] = backend.targets;

/** The target that a machine is taken for. */
function found(machine: string): string | undefined {
  const text = readFileSync(at(`../machines/${machine}.cpuinfo`), 'utf8').replace(/^#.*\n/, '');
  return matchTarget(targets, parseCpuInfo(text, 'arm64', 1))?.id;
}

describe('a machine', () => {
  it.each([
    ['graviton2', 'neoverse-n1'],
    ['graviton3', 'neoverse-v1'],
    ['cobalt-100', 'neoverse-n2'],
    ['cobalt-100-microsoft', 'neoverse-n2'],
    ['graviton4', 'neoverse-v2'],
  ])('%s is %s', (machine, target) => expect(found(machine)).toBe(target));

  it.each(['graviton3-without-sve', 'graviton4-without-sve2'])(
    '%s hides what its model has, and is none of them',
    (machine) => expect(found(machine)).toBeUndefined(),
  );
});

describe('weights of the first recipe', () => {
  it.each([
    ['neoverse-n1', 'full'],
    ['neoverse-v1', 'full'],
    ['neoverse-n2', 'full'],
    ['neoverse-v2', 'full'],
  ])('%s: %s', (id, expected) => {
    const target = targets.find((one) => one.id === id) as TargetSpec;
    const loaded = loadModelSync(at('../../../examples/reviews-bert-256/onnx/model.onnx').pathname);
    const recipe = cpuRecipes[0] as (typeof cpuRecipes)[0];
    const { capabilities } = onnxruntime;
    const plan = annotate(loaded.model, { capabilities, features: target.features, recipe, target: id });
    loaded.close();
    const ranges = plan.entries.flatMap(({ decision }) =>
      decision.action === 'matmul' ? [decision.weight.range] : [],
    );
    expect(new Set(ranges)).toEqual(new Set([expected]));
  });
});
