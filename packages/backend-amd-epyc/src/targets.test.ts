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
  return matchTarget(targets, parseCpuInfo(text, 'x64', 1))?.id;
}

describe('a machine', () => {
  it.each([
    ['epyc-zen2-7742', 'rome'],
    ['epyc-zen3-7763-vm', 'milan'],
    ['epyc-zen4-9654', 'genoa'],
    ['epyc-zen4-vm', 'genoa'],
    ['epyc-zen4c-9754', 'bergamo'],
    ['epyc-zen5-9655', 'turin'],
    ['epyc-zen5c-9965', 'turin-dense'],
  ])('%s is %s', (machine, target) => expect(found(machine)).toBe(target));

  it.each(['epyc-zen4-vm-without-vnni', 'ryzen-zen5-9950x'])(
    '%s hides what its model has or is no EPYC, and is none of them',
    (machine) => expect(found(machine)).toBeUndefined(),
  );
});

describe('weights of the first recipe', () => {
  it.each([
    ['rome', 'pair-aware'],
    ['milan', 'pair-aware'],
    ['genoa', 'full'],
    ['bergamo', 'full'],
    ['siena', 'full'],
    ['turin', 'full'],
    ['turin-dense', 'full'],
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
