import { expect, it } from 'vitest';
import { parseModel, toDot } from './index.ts';

it('draws nodes, weights, subgraphs and what they capture', () => {
  const model = parseModel(`g (float[N] x) => (y) <float[2] "w\\"1\\\\" = {1,2}> {
    p = Add (x, "w\\"1\\\\")
    [choose] y = If (p) <then_branch = t () => (z) { z = Neg (p) }>
  }`);
  expect(toDot(model)).toBe(String.raw`digraph {
  node [shape=box];
  n0 [shape=ellipse, label="x\nfloat32[N]"];
  n1 [shape=note, label="w\"1\\\nfloat[2]"];
  n2 [label="Add"];
  n3 [label="If\nchoose"];
  subgraph cluster_n4 {
    label="then_branch of choose";
    n4 [shape=point];
    n5 [label="Neg"];
    n4_output0 [shape=ellipse, label="z\n?"];
  }
  n6_output0 [shape=ellipse, label="y\n?"];
  n0 -> n2 [label=""];
  n1 -> n2 [label=""];
  n2 -> n3 [label="p\n?"];
  n3 -> n4 [style=dashed];
  n2 -> n5 [label="p\n?"];
  n5 -> n4_output0 [label="z\n?"];
  n3 -> n6_output0 [label="y\n?"];
}
`);
});

it('draws functions as clusters', () => {
  expect(toDot(parseModel('g () => () {} f (x) => (y) { y = Neg (x) }'))).toContain('label="function f"');
});
