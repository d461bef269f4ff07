import { describe, expect, it } from 'vitest';
import { diffModels, formatDiff, parseModel } from './index.ts';

const base = `<ir_version: 8, opset_import: ["": 17]>
g (float[N,2] X, bool c) => (float[N,2] Y)
<float[2,2] W = {1,2,3,4}, float[99] L = ["elided": "L"], float[N,2] P>
{
  [a] P = MatMul (X, W)
  [b] Q = Add <axis = 1> (P, L)
  [c] Y = If (c) <then_branch = t () => (z) { [d] z = Neg (Q) }>
}
<domain: "d", opset_import: ["": 17]> f <k> (x) => (y) { y = Neg (x) }`;

/** The listing of what one replacement in the text changes. */
const changed = (from: string, to: string): string => {
  expect(base).toContain(from);
  return formatDiff(diffModels(parseModel(base), parseModel(base.replace(from, to))));
};

describe('diffModels', () => {
  it('finds nothing in equal models', () => {
    expect(diffModels(parseModel(base), parseModel(base))).toEqual([]);
    expect(formatDiff([])).toBe('');
  });

  it.each([
    ['an opset', '"": 17]>\ng', '"": 18]>\ng', '@@ model @@\n- opset_import: ["": 17]\n+ opset_import: ["": 18]\n'],
    [
      'an attribute',
      'axis = 1',
      'axis = 2',
      '@@ graph / Add "b" @@\n- attribute axis: axis = 1\n+ attribute axis: axis = 2\n',
    ],
    ['a missing attribute', ' <axis = 1>', '', '@@ graph / Add "b" @@\n- attribute axis: axis = 1\n'],
    ['the operator', 'Q = Add', 'Q = d.Sub', '@@ graph / Add "b" @@\n- op: Add\n+ op: d.Sub\n'],
    ['inputs', '(P, L)', '(P, X)', '@@ graph / Add "b" @@\n- inputs: (P, L)\n+ inputs: (P, X)\n'],
    ['the name of a node', '[b] Q', '[B] Q', '@@ graph / Add "b" @@\n- name: "b"\n+ name: "B"\n'],
    [
      'a small weight',
      '{1,2,3,4}',
      '{1,2,3,5}',
      '@@ graph / "W" @@\n- initializer: float[2,2] {1,2,3,4}\n+ initializer: float[2,2] {1,2,3,5}\n',
    ],
    ['a type', 'float[N,2] P', 'float[M,2] P', '@@ graph / "P" @@\n- type: float[N,2]\n+ type: float[M,2]\n'],
    ['a node more', '[b] Q', '[n] N = Abs (P) [b] Q', '@@ graph @@\n+ node: [n] N = Abs (P)\n'],
    [
      'a node in a subgraph',
      'Neg (Q)',
      'Neg (P)',
      '@@ graph / If "c" / then_branch / Neg "d" @@\n- inputs: (Q)\n+ inputs: (P)\n',
    ],
    ['the graph', 'g (float', 'h (float', '@@ graph @@\n- name: g\n+ name: h\n'],
    [
      'a parameter of a function',
      'f <k>',
      'f <k, l = 1>',
      '@@ function d.f @@\n- attributes: <k>\n+ attributes: <k, l = 1>\n',
    ],
    ['a node of a function', 'Neg (x)', 'Abs (x)', '@@ function d.f / Neg "y" @@\n- op: Neg\n+ op: Abs\n'],
    ['a function', 'f <k>', 'e <k>', '@@ model @@\n- function: d.f\n+ function: d.e\n'],
  ])('finds %s', (_, from, to, listing) => {
    expect(changed(from, to)).toBe(listing);
  });

  it('compares large weights by content only when told so', () => {
    const [a, b] = [parseModel(base), parseModel(base.replace('"elided": "L"', '"elided": "M"'))];
    expect(diffModels(a, b)).toEqual([]);
    expect(diffModels(a, b, { weights: 99 })).toMatchObject([{ what: 'initializer', at: 'graph / "L"' }]);
  });

  it('does not mind the order of nodes', () => {
    const [a, b] = ['A = Abs (x) B = Neg (x)', 'B = Neg (x) A = Abs (x)'].map((nodes) =>
      parseModel(`g (x) => () { ${nodes} }`),
    );
    expect(diffModels(a as never, b as never)).toEqual([]);
  });

  it('is plain data', () => {
    const differences = diffModels(parseModel(base), parseModel(base.replace('axis = 1', 'axis = 2')));
    expect(JSON.parse(JSON.stringify(differences))).toEqual(differences);
  });
});
