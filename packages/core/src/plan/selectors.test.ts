import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchSelectors } from './selectors.ts';

const nodes = [
  { id: '/layer.0/query/MatMul', op: 'MatMul' },
  { id: '/layer.1/query/MatMul', op: 'MatMul' },
  { id: '/pooler/Gemm', op: 'Gemm' },
  { id: 'MatMul#7', op: 'MatMul' },
];

const match = (...selectors: string[]): string[] => [...matchSelectors(selectors, nodes)];

describe('matchSelectors', () => {
  it.each([
    ['an operator', ['Gemm'], ['/pooler/Gemm']],
    ['an id', ['MatMul#7'], ['MatMul#7']],
    ['a glob', ['/layer.*/MatMul'], ['/layer.0/query/MatMul', '/layer.1/query/MatMul']],
    ['one character', ['/layer.?/query/MatMul'], ['/layer.0/query/MatMul', '/layer.1/query/MatMul']],
    ['an expression', ['re:layer\\.[1-9]'], ['/layer.1/query/MatMul']],
    ['several', ['Gemm', 're:#'], ['/pooler/Gemm', 'MatMul#7']],
    ['none', [], []],
  ])('takes %s', (_what, selectors, ids) => {
    expect(match(...selectors)).toEqual(ids);
  });

  it('takes the characters of expressions in a glob as they are', () => {
    expect(() => match('/layer.0/query/MatMu.')).toThrow(/matches no node/);
    expect(() => match('(')).toThrow(/"\(" matches no node/);
  });

  it('says all that is wrong at once, with names that are near', () => {
    const attempt = () => match('Gem', 're:[', 'nothing like it at all');
    expect(attempt).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(attempt).toThrow(/"Gem" matches no node \(did you mean "Gemm"/);
    expect(attempt).toThrow(/"re:\[" is no regular expression/);
    expect(attempt).toThrow(/"nothing like it at all" matches no node/);
  });

  it('never fails with anything else', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (selector) => {
        try {
          expect(match(selector).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_USAGE' });
        }
      }),
    );
  });
});
