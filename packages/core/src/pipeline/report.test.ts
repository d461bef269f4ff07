import { describe, expect, it } from 'vitest';
import type { Decision, Plan } from '../plan/index.ts';
import { countOperators, groupFloat, integerEntries } from './report.ts';

const integer: Decision = { action: 'static', capability: 'test' };
const excluded: Decision = { action: 'float', reason: { code: 'excluded', text: 'the user says so' } };
const slow: Decision = { action: 'float', reason: { code: 'no-faster', text: 'no faster' } };

/** Each decision under the name of its operator. */
const planOf = (...decisions: readonly (readonly [op: string, decision: Decision])[]): Plan => ({
  version: 1,
  target: 'test',
  features: [],
  recipe: 'test',
  valueInfo: 'keep',
  entries: decisions.map(([op, decision], index) => ({ id: `${op}#${index}`, op, decision })),
});

describe('countOperators', () => {
  it('counts integer nodes and all, by operator', () => {
    const plan = planOf(['Conv', integer], ['MatMul', slow], ['Conv', excluded], ['MatMul', integer]);
    expect(countOperators(plan)).toEqual({ Conv: { integer: 1, total: 2 }, MatMul: { integer: 1, total: 2 } });
    expect(integerEntries(plan).map(({ id }) => id)).toEqual(['Conv#0', 'MatMul#3']);
  });

  it('takes names that objects have themselves for names', () => {
    const names = ['__proto__', 'constructor', 'toString', 'Conv'];
    const plan = planOf(...names.map((name) => [name, integer] as const), ['__proto__', slow]);
    const counts = countOperators(plan);
    expect(Object.keys(counts)).toEqual(names);
    expect(Object.entries(counts)[0]).toEqual(['__proto__', { integer: 1, total: 2 }]);
    expect(Object.getPrototypeOf(counts)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('integer');
    expect(JSON.parse(JSON.stringify({ ...counts }))).toEqual(counts);
    // A plan that was edited comes from JSON.
    expect(countOperators(JSON.parse(JSON.stringify(plan)) as Plan)).toEqual(counts);
  });
});

describe('groupFloat', () => {
  it('puts nodes of one operator and one reason together, most first', () => {
    const plan = planOf(['Conv', slow], ['__proto__', excluded], ['__proto__', excluded], ['Conv', integer]);
    expect(groupFloat(plan)).toEqual([
      { op: '__proto__', reason: 'excluded', text: 'the user says so', nodes: ['__proto__#1', '__proto__#2'] },
      { op: 'Conv', reason: 'no-faster', text: 'no faster', nodes: ['Conv#0'] },
    ]);
    expect(groupFloat(planOf(['Conv', integer]))).toEqual([]);
  });
});
