import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planOf } from '../../../../tools/testing/quantize-statically.ts';
import type { Plan, PlanEntry } from '../plan/index.ts';
import { parseModel } from '../text/index.ts';
import type { ErrorTrials } from './error-trials.ts';
import { limitError, mostWithin } from './limit-error.ts';
import { type ContextOptions, randomData, subjectOf, testContext } from './test-session-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-limit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Errors that single nodes make; together they add up. */
const errors: Readonly<Record<string, number>> = { a: 0.01, b: 0.5, c: 0.02, d: 0.03, e: 0.2 };

const entries: readonly PlanEntry[] = Object.keys(errors).map((id) => ({
  id,
  op: 'Conv',
  decision: { action: 'static', capability: 'test' },
}));
const plan: Plan = { version: 1, target: '', features: [], recipe: 'auto', valueInfo: 'keep', entries };

function trialsOf(bound: number) {
  const tried: string[] = [];
  const errorOf = async (trial: Plan): Promise<number> => {
    tried.push(trial.entries.map(({ id }) => id).join(''));
    return trial.entries.reduce((sum, { id }) => sum + (errors[id] as number), 0);
  };
  const trials: ErrorTrials = { errorOf, isWithin: async (trial) => (await errorOf(trial)) <= bound };
  return { trials, tried };
}

const keptWithin = async (bound: number): Promise<string> => {
  const { trials } = trialsOf(bound);
  const groups = entries.map((entry) => [entry]);
  return (await mostWithin(groups, plan, trials)).flatMap((group) => group.map(({ id }) => id)).join('');
};

describe('mostWithin', () => {
  it('keeps the least harmful nodes, as many as the bound allows', async () => {
    expect(await keptWithin(0.065)).toBe('acd');
    expect(await keptWithin(0.27)).toBe('acde');
    expect(await keptWithin(0.01)).toBe('a');
    expect(await keptWithin(0.001)).toBe('');
  });

  it('keeps all after one trial when they are within the bound together', async () => {
    const { trials, tried } = trialsOf(1);
    expect(await mostWithin([entries], plan, trials)).toEqual([entries]);
    expect(tried).toEqual(['abcde']);
  });
});

describe('limitError', () => {
  /** Two convolutions side by side, of numbers in [-1, 1). Rows of one element have no order that could change. */
  const text = `<ir_version: 8, opset_import: ["": 17]> g (float[1,2,16,1] x) => (a, b)
    <float[2,2,1,1] w = {1, 0.5, -0.5, 1}> { n = Neg (x)  [first] a = Conv (x, w)  [second] b = Conv (n, w) }`;
  const calibration = randomData([1, 2, 16, 1], 4);
  const fine = { scale: 2 / 255, zeroPoint: 128 };
  /** A step as large as the numbers themselves. */
  const coarse = { scale: 1, zeroPoint: 128 };

  async function limited(ofSecond: typeof fine, more: ContextOptions = {}) {
    const context = testContext({ mode: 'auto', ...more, options: { calibration, ...more.options } });
    const subject = await subjectOf(parseModel(text), join(folder, 'model.onnx'), context);
    const plan = planOf(subject.model);
    const outputs = { scale: 4 / 255, zeroPoint: 128 };
    const parameters = new Map([
      ['x', fine],
      ['n', ofSecond],
      ['a', outputs],
      ['b', outputs],
    ]);
    try {
      return { given: plan, ...(await limitError(plan, parameters, subject, context)) };
    } finally {
      subject.close();
    }
  }

  it('takes back the node that moves the outputs too far, and says why', async () => {
    const { given, plan, notes } = await limited(coarse);
    expect(plan.entries).toMatchObject([
      { id: 'first', decision: { action: 'static' } },
      { id: 'second', decision: { action: 'float', reason: { code: 'accuracy' } } },
    ]);
    expect([notes, plan.activations?.map(({ id }) => id)]).toEqual([[], ['x', 'a']]);
    expect(given.entries.map(({ decision }) => decision.action)).toEqual(['static', 'static']);
  });

  it('leaves a plan that is within the bound', async () => {
    const { given, plan, notes } = await limited(fine);
    expect([plan === given, notes]).toEqual([true, []]);
  });

  it('leaves what the user chose, and says where there is nothing to compare on', async () => {
    const asked = await limited(coarse, { mode: 'static' });
    expect([asked.plan === asked.given, asked.notes]).toEqual([true, []]);
    const written = await limited(coarse, { options: { plan: asked.given } });
    expect([written.plan === written.given, written.notes]).toEqual([true, []]);
    const blind = await limited(coarse, { options: { calibration: undefined } });
    expect([blind.plan === blind.given, blind.notes]).toEqual([
      true,
      ['no data: how far static nodes move the outputs was not limited'],
    ]);
  });
});
