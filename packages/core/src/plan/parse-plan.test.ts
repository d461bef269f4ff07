import { describe, expect, it } from 'vitest';
import { mergePlan } from './merge-plan.ts';
import { formatPlan, parsePlan } from './parse-plan.ts';
import type { Decision, Plan } from './plan.ts';

const weight = { elementType: 'int8', granularity: 'channel', range: 'full' } as const;
const integer: Decision = { action: 'matmul', weight, capability: 'u8s8' };
const excluded: Decision = { action: 'float', reason: { code: 'excluded', text: 'sensitive' } };
const hard: Decision = { action: 'float', reason: { code: 'not-constant', text: 'no weight' } };

const planOf = (decisions: Readonly<Record<string, Decision>>): Plan => ({
  version: 1,
  target: 'portable',
  features: ['avx2'],
  recipe: 'latency',
  valueInfo: 'drop',
  entries: Object.entries(decisions).map(([id, decision]) => ({ id, op: 'MatMul', decision })),
});

describe('parsePlan', () => {
  it('reads what formatPlan prints', () => {
    const table = { elementType: 'int8', granularity: 'row' } as const;
    const plan = planOf({
      a: integer,
      b: excluded,
      c: { action: 'embedding', table, capability: 'rows' },
      d: { ...integer, action: 'conv' },
    });
    expect(parsePlan(formatPlan(plan))).toEqual(plan);
  });

  it('says what is no JSON', () => {
    expect(() => parsePlan('{', 'plan.json')).toThrow(expect.objectContaining({ code: 'E_CONFIG_SYNTAX' }));
  });

  it.each([
    ['a list', [], /not an object/],
    ['another version', { version: 2 }, /version: expected 1, got 2/],
    ['an unknown key', { recipes: 'latency' }, /recipes: unknown key \(did you mean recipe\?\)/],
    ['no entries', { entries: {} }, /entries: expected a list/],
    ['an entry without id', { entries: [{ op: 'MatMul', decision: integer }] }, /entries\[0\]\.id: expected text/],
    [
      'an action that is near',
      { entries: [{ id: 'a', op: 'MatMul', decision: { action: 'matmull' } }] },
      /did you mean matmul\?/,
    ],
    [
      'a scheme that does not exist',
      { entries: [{ id: 'a', op: 'MatMul', decision: { ...integer, weight: { ...weight, range: 'half' } } }] },
      /entries\[0\]\.decision\.weight\.range: expected full, reduced, pair-aware, got "half"/,
    ],
    [
      'a table by channel',
      { entries: [{ id: 'a', op: 'Gather', decision: { action: 'embedding', table: weight, capability: 'x' } }] },
      /granularity: expected tensor, row/,
    ],
  ])('refuses %s and says where', (_what, change, message) => {
    const plan = Array.isArray(change) ? change : { ...planOf({ a: integer }), ...change };
    const attempt = () => parsePlan(JSON.stringify(plan), 'plan.json');
    expect(attempt).toThrow(expect.objectContaining({ code: 'E_CONFIG_SCHEMA' }));
    expect(attempt).toThrow(message);
  });

  it('leaves no trace of hostile keys', () => {
    expect(() => parsePlan('{"__proto__": {"polluted": 1}, "constructor": 1}')).toThrow(/unknown key/);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('mergePlan', () => {
  const made = planOf({ a: integer, b: hard, c: excluded });
  const merge = (decisions: Readonly<Record<string, Decision>>): Plan => mergePlan(made, planOf(decisions), ['u8s8']);

  it('takes edited decisions, and keeps the others', () => {
    expect(merge({ a: excluded, c: integer }).entries.map(({ decision }) => decision)).toEqual([
      excluded,
      hard,
      integer,
    ]);
  });

  it.each([
    ['a node that the model does not have', { aa: integer }, /no node "aa" \(did you mean "a"\?\)/],
    ['a node that cannot be integer', { b: integer }, /"b" cannot be matmul: no weight/],
    ['another action', { a: { ...integer, action: 'conv' } as Decision }, /"a" cannot be conv: it is matmul/],
    [
      'a capability that nobody claims',
      { a: { ...integer, capability: 'u8s9' } as Decision },
      /capability "u8s9", which nobody claims \(did you mean "u8s8"\?\)/,
    ],
  ])('refuses %s', (_what, decisions, message) => {
    expect(() => merge(decisions)).toThrow(message);
    expect(() => merge(decisions)).toThrow(expect.objectContaining({ code: 'E_CONFIG_SCHEMA' }));
  });
});
