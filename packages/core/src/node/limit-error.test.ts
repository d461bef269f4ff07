import { describe, expect, it } from 'vitest';
import type { Plan, PlanEntry } from '../plan/index.ts';
import type { ErrorTrials } from './error-trials.ts';
import { mostWithin } from './limit-error.ts';

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
