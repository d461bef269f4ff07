import { describe, expect, it } from 'vitest';
import { mergePlan } from './merge-plan.ts';
import { formatPlan, parsePlan } from './parse-plan.ts';
import type { ActivationEntry, Decision, Plan, PlanEntry } from './plan.ts';
import { settlePlan } from './settle-plan.ts';

const scheme = { elementType: 'uint8', symmetric: false } as const;
const own = (id: string): ActivationEntry => ({ id, scheme, parameters: { kind: 'own' } });
const sharing = (id: string, other: string): ActivationEntry => ({
  id,
  scheme,
  parameters: { kind: 'shared', with: other },
});
const weight = { elementType: 'int8', granularity: 'channel', range: 'full' } as const;
const conv: Decision = { action: 'static', weight, capability: 'conv' };
const mover: Decision = { action: 'static', capability: 'mover' };
const float: Decision = { action: 'float', reason: { code: 'excluded', text: 'sensitive' } };
const entry = (id: string, op: string, decision: Decision, reads: string[], writes: string[]): PlanEntry => ({
  id,
  op,
  decision,
  reads,
  writes,
});

/** x → first → c → reshape → s → transpose → t → second → y */
const chain: Plan = {
  version: 1,
  target: 'portable',
  features: [],
  recipe: 'static',
  valueInfo: 'drop',
  form: 'qdq',
  entries: [
    entry('first', 'Conv', conv, ['x'], ['c']),
    entry('reshape', 'Reshape', mover, ['c'], ['s']),
    entry('transpose', 'Transpose', mover, ['s'], ['t']),
    entry('second', 'Conv', conv, ['t'], ['y']),
  ],
  activations: [own('x'), own('c'), sharing('s', 'c'), sharing('t', 'c'), own('y')],
};

const edited = (id: string, decision: Decision): Plan => ({
  ...chain,
  entries: chain.entries.map((one) => (one.id === id ? { ...one, decision } : one)),
});
const actions = ({ entries }: Plan): string[] => entries.map(({ decision }) => decision.action);
const ids = ({ activations = [] }: Plan): string[] => activations.map(({ id }) => id);

describe('settlePlan', () => {
  it('leaves a plan in which all has its place', () => {
    expect(settlePlan(chain)).toEqual(chain);
  });

  it('takes away movers that nothing gives integers any more, and keeps the parameters that others share', () => {
    const settled = settlePlan(edited('first', float));
    expect(actions(settled)).toEqual(['float', 'float', 'float', 'static']);
    expect(ids(settled)).toEqual(['c', 't', 'y']);
  });

  it('takes away movers whose integers nothing reads any more', () => {
    const settled = settlePlan(edited('second', float));
    expect(actions(settled)).toEqual(['static', 'float', 'float', 'float']);
    expect(ids(settled)).toEqual(['x', 'c']);
    expect(settled.entries[1]).not.toHaveProperty('reads');
  });

  it('does nothing to plans without activations', () => {
    const { activations, form, ...plain } = chain;
    expect(settlePlan(plain)).toBe(plain);
  });
});

describe('static plans as JSON', () => {
  it('come back as they were printed', () => {
    const fixed: ActivationEntry = { id: 'p', scheme, parameters: { kind: 'fixed', scale: 1 / 256, zeroPoint: 0 } };
    const plan = { ...chain, activations: [...(chain.activations ?? []), fixed] };
    expect(parsePlan(formatPlan(plan))).toEqual(plan);
  });

  it('are refused with every problem and its place', () => {
    const broken = {
      ...chain,
      form: 'qqd',
      entries: [{ ...chain.entries[0], reads: 'x', decision: { ...conv, weight: { ...weight, elementType: 'int9' } } }],
      activations: [
        {
          id: 1,
          scheme: { elementType: 'uint9', symmetric: 1 },
          parameters: { kind: 'fixed', scale: 0, zeroPoint: 0.5 },
        },
        { ...own('x'), parameters: { kind: 'shared' } },
        { ...own('y'), parameters: { kind: 'owned' } },
      ],
    };
    const attempt = () => parsePlan(JSON.stringify(broken), 'plan.json');
    for (const problem of [
      'form: expected qdq, qoperator, got "qqd" (did you mean qdq?)',
      'entries[0].reads: expected a list of texts',
      'entries[0].decision.weight.elementType: expected int8, uint8, int4, got "int9"',
      'activations[0].id: expected text',
      'activations[0].scheme.elementType: expected uint8',
      'activations[0].scheme.symmetric: expected true or false',
      'activations[0].parameters.scale: expected a positive number, got 0',
      'activations[0].parameters.zeroPoint: expected an integer, got 0.5',
      'activations[1].parameters.with: expected text',
      'activations[2].parameters.kind: expected own, fixed, shared, got "owned" (did you mean own?)',
    ])
      expect(attempt).toThrow(problem);
  });
});

describe('mergePlan with static decisions', () => {
  const merge = (plan: Plan, made = chain, nodes?: ReadonlySet<string>): Plan =>
    mergePlan(made, plan, ['conv', 'mover', 'matmul'], nodes);

  it('settles what an edit leaves without a place', () => {
    expect(actions(merge(edited('first', float)))).toEqual(['float', 'float', 'float', 'static']);
  });

  it('takes fixed parameters in the place of calibrated ones, and the form', () => {
    const fixed: ActivationEntry = { id: 'x', scheme, parameters: { kind: 'fixed', scale: 0.1, zeroPoint: 7 } };
    const merged = merge({ ...chain, form: 'qoperator', activations: [fixed] });
    expect(merged.form).toBe('qoperator');
    expect(merged.activations?.[0]).toEqual(fixed);
    expect(ids(merged)).toEqual(['x', 'c', 's', 't', 'y']);
  });

  it('makes static what the made plan has dynamic, with the movers between', () => {
    const { activations, form, ...rest } = chain;
    const dynamic: Plan = {
      ...rest,
      entries: ['first', 'second'].map((id) => ({ id, op: 'Conv', decision: { ...conv, action: 'conv' } as Decision })),
    };
    const all = new Set(chain.entries.map(({ id }) => id));
    const merged = merge(chain, dynamic, all);
    expect(new Map(merged.entries.map((one) => [one.id, one.decision.action]))).toEqual(
      new Map(chain.entries.map(({ id }) => [id, 'static'])),
    );
    expect(ids(merged)).toEqual(ids(chain));
    expect(() => merge(chain, dynamic)).toThrow(/no node "reshape"/);
  });

  it('refuses with every problem at once', () => {
    const plan: Plan = {
      ...chain,
      entries: [
        { ...(chain.entries[0] as PlanEntry), reads: ['z'] },
        { ...(chain.entries[3] as PlanEntry), reads: [] },
      ],
      activations: [sharing('s', 'q'), sharing('t', 's')],
    };
    expect(() => merge(plan)).toThrow(/"first" names activation "z", which is not among the activations/);
    expect(() => merge(plan)).toThrow(/"second" is static, but does not say which activations it reads/);
    expect(() => merge(plan)).toThrow(/activation "s" shares the parameters of "q", which is not among/);
    expect(() => merge(plan)).toThrow(/activation "t" shares the parameters of "s", which has none of its own/);
  });
});
