import { describe, expect, it } from 'vitest';
import { ownCorpus } from './corpus.ts';
import { fuzzHalf } from './fuzz-half.ts';
import { judge } from './judge.ts';

describe('mutated models', () => {
  it.each(ownCorpus())('accepts the model that mutants are made of: $name', ({ bytes }) => {
    expect(judge(bytes)).toEqual({ kind: 'accepted' });
  });

  it('keeps every promise, first half', { timeout: 600_000 }, () => fuzzHalf(0));
});
