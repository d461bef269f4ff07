import { describe, it } from 'vitest';
import { fuzzHalf } from './fuzz-half.ts';

describe('mutated models', () => {
  it('keeps every promise, second half', { timeout: 600_000 }, () => fuzzHalf(1));
});
