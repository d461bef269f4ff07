import { describe, expect, it } from 'vitest';
import { type Model, type Node, verify } from '../ir/index.ts';
import { parseModel, printModel } from './index.ts';

const nodesOf = ({ graph }: Model): Node[] => [...graph.nodes()];
const floatsOf = (bytes: Uint8Array | undefined): number[] => [
  ...new Float32Array((bytes as Uint8Array).slice().buffer),
];

/** The tensor of the only initializer of a graph. */
function tensorIn(text: string) {
  const [value] = parseModel(`g () => () <${text}> {}`).graph.initializers;
  if (value?.origin.kind !== 'initializer') throw new Error('There is no initializer.');
  return value.origin.tensor;
}

/** In the grammar of onnx/docs/Syntax.md, as people write it. */
const official: readonly string[] = [
  `<ir_version: 7, opset_import: [ "" : 10 ]>
   agraph (float[N, 128] X, float[128, 10] W, float[10] B) => (float[N, 10] C)
   { T = MatMul(X, W)  S = Add(T, B)  C = Softmax(S) }`,
  'agraph (float[N] y, float[N] z) => (float[N] w) <float[2] w1 = {1.0, 2.0}, float[N] x> { x = foo(y, w1) w = bar(x, z) }',
  'agraph (float y = {1.0}, float[N] z) => (float[N] w) { w = Add(y, z) }',
  'agraph (seq(float[N]) s, map(int32, float[N]) m, optional(float[N]) o, sparse_tensor(float[N]) p, opaque(test.domain,T) q) => () {}',
  '"a graph" (float["a dim"] x) => () {}',
  'g (x) => (y) { # a comment\n y = foo.bar.Op <a = 1, b = 2.5, c = "s", d = [1, 2], e: floats = [1, 2.5]> (x) }',
  'g (x) => (y) { y = Op (x) <a = 1> }',
  'g (x) => (y) { y = Op(,x,"",) }',
  'g (c, x) => (y) { y = If (c) <then_branch = g1 () => (float[N] y1) { y1 = Neg(x) }, else_branch = g2 () => (z) { z = Abs(x) }> }',
  '<ir_version: 9, opset_import: ["": 15, "d": 1]> g (x) => (y) { y = d.f <a = 2.0> (x) } <domain: "d", opset_import: ["": 15]> f <a> (x) => (y) { c = Constant <value_float: float = @a> () y = Mul (x, c) }',
  'g (x) => (y) { y = f:over (x) } <domain: "", overload: "over", opset_import: []> f <a: float = 1, b> (float[N] x) => (float[N] y) <float[N] t> { t = Neg (x) y = Neg (t) }',
  'g () => (y) { [ "a label" ] y = Constant <value = float[2] name = {1, -2e3}> () }',
  'g () => (y) { [] y = Constant <value: tensor = int64 {3}, scale = -inf, other = NaN, more = 1e-3> () }',
  'g => (y) { y = Op() }',
];

describe('parseModel', () => {
  it.each(official)('reads official syntax: %s', (text) => {
    const model = parseModel(text);
    expect(verify(model)).toEqual([]);
    const printed = printModel(model);
    expect(printModel(parseModel(printed))).toBe(printed);
  });

  it('reads header, types and graph', () => {
    const model = parseModel(official[0] as string);
    expect(model.irVersion).toBe(7);
    expect(model.opsetImports).toEqual([{ domain: '', version: 10 }]);
    expect(model.graph.name).toBe('agraph');
    expect(model.graph.inputs.map(({ shape }) => shape)).toEqual([['N', 128], [128, 10], [10]]);
    expect(nodesOf(model).map(({ op }) => op)).toEqual(['MatMul', 'Add', 'Softmax']);
  });

  it('puts weights where they belong', () => {
    const model = parseModel(
      'g (float[2] X = {1,2}, float[n] V) => () <float[2] V = {3,4}, float[2,2] W = {1,2,3,4}> {}',
    );
    const [x, v, w] = [...model.graph.initializers];
    expect([x, v, w].map((value) => value?.origin.kind)).toEqual(['input', 'input', 'initializer']);
    expect(v?.shape).toEqual(['n']);
    expect(w?.origin.kind === 'initializer' && floatsOf(w.origin.tensor.bytes())).toEqual([1, 2, 3, 4]);
  });

  it('leaves out what is empty', () => {
    const [node] = nodesOf(parseModel('g (x) => () { , "", y = Op (,x,) }'));
    expect(node?.inputs.map((value) => value?.name)).toEqual([undefined, 'x']);
    expect(node?.outputs.map((value) => value?.name)).toEqual([undefined, undefined, 'y']);
  });

  it('lets a subgraph read and shadow the graph around it', () => {
    const model = parseModel('g (x) => (y) { y = If (x) <b = h (x) => (z) { z = Neg (x) }> }');
    const inner = nodesOf(model)[0]?.subgraphs[0];
    expect(inner?.firstNode?.inputs[0]).toBe(inner?.inputs[0]);
  });

  it.each([
    ['int8[2] t = {-128, 127}', [0x80, 0x7f]],
    ['uint64[1] t = {18446744073709551615}', new Array(8).fill(0xff)],
    ['int64[1] t = {-9223372036854775808}', [0, 0, 0, 0, 0, 0, 0, 0x80]],
    ['bool[2] t = {0, 1}', [0, 1]],
    ['int4[3] t = {-1, -8, 7}', [0x8f, 0x07]],
    ['float16[2] t = {15360, 1.0}', [0, 0x3c, 0, 0x3c]],
    ['bfloat16[2] t = {16256, 1.0}', [0x80, 0x3f, 0x80, 0x3f]],
    ['float[2] t = {-nan, nan}', [0, 0, 0xc0, 0xff, 0, 0, 0xc0, 0x7f]],
    ['double t = {-0}', [0, 0, 0, 0, 0, 0, 0, 0x80]],
    ['float8e4m3fn[1] t = {200}', [200]],
  ])('packs %s', (text, bytes) => {
    expect([...tensorIn(text).bytes()]).toEqual(bytes);
  });

  it('keeps bytes of strings that are not UTF-8', () => {
    expect(
      tensorIn('string[2] t = {"\\xff\\x00", "é\\n"}')
        .strings()
        .map((bytes) => [...bytes]),
    ).toEqual([
      [0xff, 0],
      [0xc3, 0xa9, 10],
    ]);
  });

  it('makes the same content for an elided weight each time, only when asked', () => {
    const tensor = tensorIn('float[300,1000] t = ["elided": "seed"]');
    expect(tensor.backing.kind).toBe('computed');
    const bytes = tensor.bytes();
    const again = (seed: string) => tensorIn(`float[300,1000] other = ["elided": "${seed}"]`).bytes();
    expect(Buffer.compare(bytes, again('seed'))).toBe(0);
    expect(Buffer.compare(bytes, again('another'))).not.toBe(0);
    const values = floatsOf(bytes);
    expect(values).toHaveLength(300_000);
    expect(Math.max(...values.slice(0, 1000))).toBeLessThanOrEqual(0.05);
    expect(new Set(values.slice(0, 1000)).size).toBeGreaterThan(990);
  });

  it('makes finite content for every element type', () => {
    const types = [
      'double',
      'float16',
      'bfloat16',
      'complex64',
      'complex128',
      'bool',
      'int64',
      'uint8',
      'int4',
      'float8e5m2',
    ];
    for (const type of types) {
      const tensor = tensorIn(`${type}[3,7] t = ["elided": "t"]`);
      expect(tensor.bytes().byteLength, type).toBe(tensor.byteLength);
    }
    expect(tensorIn('string[2] t = ["elided": "t"]').strings()).toHaveLength(2);
    expect(
      tensorIn('bool[99] t = ["elided": "t"]')
        .bytes()
        .every((byte) => byte < 2),
    ).toBe(true);
  });
});
