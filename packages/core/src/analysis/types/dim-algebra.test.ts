import { describe, expect, it } from 'vitest';
import { plainAlgebra, SymbolicAlgebra } from './dim-algebra.ts';
import { broadcastShapes } from './shapes.ts';

const algebra = new SymbolicAlgebra();

describe('symbolic algebra', () => {
  it('spells a sum in one way, whatever the order', () => {
    expect(algebra.add('past_sequence', 'sequence')).toBe('past_sequence + sequence');
    expect(algebra.add('sequence', 'past_sequence')).toBe('past_sequence + sequence');
    expect(algebra.add(algebra.add('b', 3), algebra.add('a', -3))).toBe('a + b');
    expect(algebra.subtract(4, 'n')).toBe('4 - n');
    expect(algebra.multiply(-1, 'n')).toBe('-n');
  });

  it('multiplies and divides exactly', () => {
    expect(algebra.multiply('sequence', 'batch')).toBe('batch*sequence');
    expect(algebra.multiply(12, algebra.add('n', 1))).toBe('12*n + 12');
    expect(algebra.divide(algebra.multiply(12, 'n'), 4)).toBe('3*n');
    expect(algebra.divide('batch*sequence', 'sequence')).toBe('batch');
    expect(algebra.divide('n', 2)).toBeNull();
    expect(algebra.divide(7, 2)).toBeNull();
    expect(algebra.divide('n', 0)).toBeNull();
    expect(algebra.multiply('n', 0)).toBe(0);
  });

  it('knows what cancels out', () => {
    expect(algebra.subtract('past + now', 'past')).toBe('now');
    expect(algebra.subtract('n', 'n')).toBe(0);
    expect(algebra.divide('a + b', 'a + b')).toBe(1);
  });

  it('does not calculate with names that are none, or with the unknown', () => {
    expect(algebra.add('batch-size', 1)).toBeNull();
    expect(algebra.multiply('floor(n/2)', 2)).toBeNull();
    expect(algebra.add('batch-size', 0)).toBe('batch-size');
    expect(algebra.add(null, 1)).toBeNull();
    expect(algebra.multiply(1, null)).toBeNull();
    expect(algebra.multiply(2 ** 40, 2 ** 40)).toBeNull();
  });

  it('gives up what grows', () => {
    let sum = algebra.add('a0', 0);
    for (let index = 1; index < 50; index++) sum = algebra.add(sum, `a${index}`);
    expect(sum).toBeNull();
    const long = 'n'.repeat(150);
    expect(algebra.multiply(long, `${long}m`)).toBeNull();
  });

  it('takes a clipped length for its partner, and only for that', () => {
    const clipped = algebra.clip(512, 0, 'sequence');
    expect(clipped).toBe('min(512, sequence)');
    expect(broadcastShapes([[clipped], ['sequence']], algebra)).toEqual(['sequence']);
    expect(broadcastShapes([[clipped], ['other']], algebra)).toEqual([null]);
    expect(algebra.clip('n', 0, 'n')).toBe('n');
  });
});

it('the algebra of Python knows numbers and neutral elements', () => {
  expect(plainAlgebra.add('n', 0)).toBe('n');
  expect(plainAlgebra.multiply(1, 'n')).toBe('n');
  expect(plainAlgebra.multiply(2, 'n')).toBeNull();
  expect(plainAlgebra.divide(7, 2)).toBe(3);
  expect(plainAlgebra.divide(7, 0)).toBeNull();
});
