import { describe, expect, it } from 'vitest';
import { parseModel } from '../text/index.ts';
import { nodeIds } from './node-ids.ts';

const idsOf = (text: string): string[] => [...nodeIds(parseModel(text)).values()];

describe('nodeIds', () => {
  it('are names where these are unique, and places where they are empty or repeated', () => {
    const ids = idsOf(`<ir_version: 8, opset_import: ["": 17]> g (float[n] x) => (float[n] y)
      { [same] a = Relu (x)  [same] b = Relu (a)  c = Relu (b)  [own] d = Tanh (c)  y = Tanh (d) }`);
    expect(ids).toEqual(['Relu#0', 'Relu#1', 'Relu#2', 'own', 'Tanh#1']);
  });

  it('tell branches and functions apart', () => {
    const ids = idsOf(`<ir_version: 8, opset_import: ["": 17, "own": 1]> g (bool c, float[n] x) => (float[n] y)
      { y = If (c) <then_branch = t () => (float[n] a) { a = Relu (x) }, else_branch = e () => (float[n] b) { b = own.F (x) }> }
      <domain: "own", opset_import: ["": 17]> F (x) => (y) { y = Relu (x) }`);
    expect(ids).toEqual(['If#0', 'If#0/then_branch/Relu#0', 'If#0/else_branch/F#0', 'own.F/Relu#0']);
  });

  it('are the same for the same text, each once', () => {
    const text = `<ir_version: 8, opset_import: ["": 17]> g (float[n] x) => (float[n] y)
      { [a] h = Relu (x)  [a] i = Relu (h)  [b] y = Relu (i) }`;
    expect(idsOf(text)).toEqual(idsOf(text));
    expect(new Set(idsOf(text)).size).toBe(3);
  });
});
