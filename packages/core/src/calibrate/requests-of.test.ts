import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan/index.ts';
import { requestsOf } from './requests-of.ts';

const scheme = { elementType: 'uint8', symmetric: false } as const;
const plan: Plan = {
  version: 1,
  target: '',
  features: [],
  recipe: '',
  valueInfo: 'keep',
  entries: [],
  activations: [
    { id: 'x', scheme, parameters: { kind: 'own' } },
    { id: 'probabilities', scheme, parameters: { kind: 'fixed', scale: 1 / 255, zeroPoint: 0 } },
    { id: 'reshaped', scheme, parameters: { kind: 'shared', with: 'x' } },
  ],
};

describe('requestsOf', () => {
  it('asks for activations with parameters of their own', () => {
    expect(requestsOf(plan, { id: 'percentile', percentile: 99.9 })).toEqual([{ tensor: 'x', detail: 'histogram' }]);
  });

  it('asks for ranges only, where the method needs no more', () => {
    expect(requestsOf(plan, { id: 'min-max' })).toEqual([{ tensor: 'x', detail: 'range' }]);
    expect(requestsOf(plan, { id: 'moving-average' })).toEqual([{ tensor: 'x', detail: 'range' }]);
  });

  it('asks for nothing of a plan without activations', () => {
    const { activations, ...dynamic } = plan;
    expect(requestsOf(dynamic, { id: 'mse' })).toEqual([]);
  });
});
