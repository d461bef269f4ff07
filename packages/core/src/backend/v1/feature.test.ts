import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CpuFacts } from './cpu-facts.ts';
import { featuresOf } from './feature.ts';
import { fits, type MatchRule, matchTarget, type TargetSpec } from './target.ts';

const known = ['avx2', 'fma', 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'avx512_vnni', 'avx_vnni', 'avx512_bf16'];
const more = [
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  'avx512_fp16',
  'asimd',
  'asimddp',
  'i8mm',
  'sve',
  'sve2',
  'bf16',
  'fpu',
];
const flags = fc.subarray([...known, ...more]);
const factsOf = (list: readonly string[]): CpuFacts => ({
  architecture: 'x64',
  vendor: '',
  modelName: '',
  flags: list,
  threads: 1,
});

const rule = fc.record<MatchRule>(
  { flags: fc.subarray(known), withoutFlags: fc.subarray(known) },
  { requiredKeys: [] },
);
const target = fc.record<TargetSpec>({
  id: fc.string(),
  name: fc.string(),
  match: fc.array(rule, { maxLength: 2 }),
  features: fc.subarray(['avx2', 'avx512', 'avx-vnni', 'avx512-vnni'] as const),
  specificity: fc.integer({ min: 0, max: 3 }),
  sources: fc.constant([]),
});

describe('features', () => {
  it('are monotone in the flags: more flags never give fewer features', () => {
    fc.assert(
      fc.property(flags, flags, (some, others) => {
        const few = featuresOf(factsOf(some));
        const many = featuresOf(factsOf([...some, ...others]));
        expect(many).toEqual(expect.arrayContaining(few));
      }),
    );
  });

  it('need each of their flags', () => {
    expect(featuresOf(factsOf(['avx2']))).toEqual([]);
    expect(featuresOf(factsOf(['avx2', 'fma']))).toEqual(['avx2']);
    expect(featuresOf(factsOf(['avx512f', 'avx512bw', 'avx512_vnni']))).toEqual(['avx512-vnni']);
    expect(featuresOf(factsOf(['amx_int8']))).toEqual([]);
  });
});

describe('matchTarget', () => {
  it('never gives a target whose features the machine does not show', () => {
    fc.assert(
      fc.property(fc.array(target, { maxLength: 6 }), flags, (targets, list) => {
        const facts = factsOf(list);
        const found = matchTarget(targets, facts);
        expect(featuresOf(facts)).toEqual(expect.arrayContaining([...(found?.features ?? [])]));
      }),
    );
  });

  it('gives the most specific of those that fit, the earlier one of two alike', () => {
    fc.assert(
      fc.property(fc.array(target, { maxLength: 6 }), flags, (targets, list) => {
        const facts = factsOf(list);
        const fitting = targets.filter((one) => fits(one, facts));
        const highest = Math.max(...fitting.map(({ specificity }) => specificity));
        expect(matchTarget(targets, facts)).toBe(fitting.find(({ specificity }) => specificity === highest));
      }),
    );
  });
});
