import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Graph, Model, Value } from '../ir/index.ts';
import { parseModel, printModel } from './index.ts';
import { decode, quote, unquote } from './strings.ts';

const inside = (quoted: string): string => quoted.slice(1, -1);

describe('quoted strings', () => {
  it('give back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(unquote(inside(quote(text)))).toBe(text);
      }),
      { seed: 1 },
    );
  });

  it('give back any bytes, as text where they are UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(unquote(inside(quote(bytes)))).toEqual(decode(bytes));
      }),
      { seed: 2 },
    );
  });

  it('read a backslash officially where it begins none of our escapes', () => {
    expect(unquote('\\"\\\\\\a\\xg')).toBe('"\\axg');
  });

  it('hold any name of a value and any documentation', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1 })), fc.string(), (names, docString) => {
        const graph = new Graph('g');
        graph.docString = docString;
        for (const name of names) graph.addInput(new Value(name));
        const parsed = parseModel(printModel(new Model(graph)));
        expect(parsed.graph.inputs.map(({ name }) => name)).toEqual(names);
        expect(parsed.graph.docString).toBe(docString);
      }),
      { seed: 3 },
    );
  });
});
