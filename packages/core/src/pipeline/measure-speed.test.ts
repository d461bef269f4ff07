import { describe, expect, it } from 'vitest';
import type { Session } from '../backend/index.ts';
import { measureSpeed } from './measure-speed.ts';

describe('measureSpeed', () => {
  it('interleaves both sessions round by round', async () => {
    const calls: string[] = [];
    const fake = (name: string, ms: number): Session => ({
      inputs: [],
      outputs: [],
      loadMs: 0,
      run: async () => ({}),
      time: async (_feeds, repetitions) => {
        calls.push(name);
        return Array(repetitions).fill(ms);
      },
      observe: async () => undefined,
      observations: async () => ({}),
      sampledRows: async () => ({}),
      profile: async () => [],
      residentBytes: async () => 0,
      close: async () => undefined,
    });
    const result = await measureSpeed(fake('a', 30), fake('b', 10), {}, { budgetMs: 100 });
    expect(result.speedup).toBe(3);
    expect(result.verdict).toBe('faster');
    expect(calls.join('')).toMatch(/^(ab)+$/);
  });
});
