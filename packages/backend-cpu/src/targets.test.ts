import { join } from 'node:path';
import { annotate, featuresOf, fits, matchTarget, type TargetSpec } from '@optimum/core';
import { loadModelSync } from '@optimum/core/node';
import { cpuRecipes } from '@optimum/runtime-onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../tools/testing/zoo.ts';
import { recordedCpus, recordedFacts } from '../../core/src/node/cpu-facts-recorded.ts';
import { checkTargets } from '../../core/src/node/discover-backends-check.ts';
import { capabilities } from '../../runtime-onnxruntime/src/index.ts';
import list from '../targets.json' with { type: 'json' };

const targets = list as readonly TargetSpec[];

/** The class of each recorded machine; those that are not here have none. */
const classOf: Readonly<Record<string, string>> = {
  'apple-m1-macos-11': 'arm64-neon',
  'apple-m1-macos-12': 'arm64-dotprod',
  'apple-m3-macos-15': 'arm64-i8mm',
  'core-ultra-9-285': 'x86-64-avx-vnni',
  'epyc-zen2-7742': 'x86-64-avx2',
  'epyc-zen4-9654': 'x86-64-avx512-vnni',
  'epyc-zen4-vm': 'x86-64-avx512-vnni',
  'epyc-zen5-9655': 'x86-64-avx512-vnni',
  graviton2: 'arm64-dotprod',
  graviton3: 'arm64-i8mm',
  graviton4: 'arm64-i8mm',
  'ryzen-zen3-5950x': 'x86-64-avx2',
  'ryzen-zen5-9950x': 'x86-64-avx512-vnni',
  'xeon-cascade-lake-8260m': 'x86-64-avx512-vnni',
  'xeon-cascade-lake-8275cl-old-kernel': 'x86-64-avx512',
  'xeon-cooper-lake-8380h': 'x86-64-avx512-vnni',
  'xeon-emerald-rapids-8592': 'x86-64-avx512-vnni',
  'xeon-granite-rapids-6980p': 'x86-64-avx512-vnni',
  'xeon-ice-lake-8375c': 'x86-64-avx512-vnni',
  'xeon-ice-lake-vm-without-vnni': 'x86-64-avx512',
  'xeon-sapphire-rapids-8480': 'x86-64-avx512-vnni',
  'xeon-sapphire-rapids-vm-without-amx': 'x86-64-avx512-vnni',
  'xeon-sierra-forest-6766e': 'x86-64-avx-vnni',
  'xeon-skylake-6132': 'x86-64-avx512',
};

describe('the classes of CPUs', () => {
  it('are a target file as the contract wants it', () => expect(checkTargets(list)).toBeUndefined());

  it.each(recordedCpus)('%s', (name) => {
    const facts = recordedFacts(name);
    const found = matchTarget(targets, facts);
    expect(found?.id).toBe(classOf[name]);
    expect(featuresOf(facts)).toEqual(expect.arrayContaining([...(found?.features ?? [])]));
    // Classes exclude each other: `optimum backends` marks one.
    expect(targets.filter((target) => fits(target, facts)).length).toBeLessThanOrEqual(1);
  });

  it('do not know a CPU without AVX2; the portable target is for it', () => {
    expect(matchTarget(targets, recordedFacts('opteron-6136'))).toBeUndefined();
    expect(targets.filter(({ everywhere }) => everywhere).map(({ id }) => id)).toEqual(['portable']);
  });
});

describe('weights of the latency recipe', () => {
  const model = loadModelSync(join(root, 'examples/reviews-bert-256/onnx/model.onnx'));
  afterAll(() => model.close());

  const schemes = (target: TargetSpec): string[] => {
    const recipe = cpuRecipes[0] as (typeof cpuRecipes)[0];
    const plan = annotate(model.model, { capabilities, features: target.features, recipe, target: target.id });
    const found = plan.entries.flatMap(({ decision }) =>
      decision.action === 'matmul'
        ? [`${decision.weight.elementType} ${decision.weight.granularity} ${decision.weight.range}`]
        : [],
    );
    return [...new Set(found)];
  };

  it.each([
    ['portable', ['int8 channel pair-aware']],
    ['x86-64-avx2', ['int8 channel pair-aware']],
    ['x86-64-avx512', ['int8 channel pair-aware']],
    ['x86-64-avx-vnni', ['int8 channel full']],
    ['x86-64-avx512-vnni', ['int8 channel full']],
    ['arm64-dotprod', ['int8 channel full']],
    ['arm64-i8mm', ['int8 channel full']],
    // No claim is made for its kernels: tables only.
    ['arm64-neon', []],
  ])('%s: %j', (id, expected) => {
    expect(schemes(targets.find((target) => target.id === id) as TargetSpec)).toEqual(expected);
  });
});
