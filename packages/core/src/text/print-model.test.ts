import { describe, expect, it } from 'vitest';
import {
  type Attribute,
  addNode,
  float32Tensor,
  Graph,
  int64Tensor,
  Model,
  stringAttribute,
  tensorOf,
  tensorType,
  Value,
} from '../ir/index.ts';
import { parseModel, printModel } from './index.ts';

/** A text that is printed just as it is written here. */
const golden = `<
  ir_version: 8,
  opset_import: ["": 17, "com.example": 1],
  producer_name: "tests",
  producer_version: "1.0",
  domain: "example",
  model_version: 3,
  doc_string: "Two \\"branches\\"\\nand a function",
  metadata_props: ["license": "Apache-2.0"]
>
#: doc_string: "main", metadata_props: ["k": "v"]
main (float[N,2] X, #: doc_string: "the condition"
  bool cond, seq(float[]) items) => (float[N,2] Y, Z)
<
  float[2,2] W = {1,2,3,4},
  float[64,64] large = ["elided": "large"],
  string[2] words = {"a", "b \\\\ \\"c\\""},
  int64 scalar = {-9007199254740993},
  float[N,2] product
>
{
  [first] product = MatMul (X, W)
  #: doc_string: "chooses"
  [second] Y = If (cond) <
    then_branch = then () => (float[N,2] inner) {
      inner = com.example.Scale:fast <factor = 0.5, names = ["a", "b"]> (product, "", W)
    },
    else_branch = "else branch" () => (float[N,2] product) {
    }
  >
  Z, "" = "odd domain"."odd op" <axes: ints = [], big = 9007199254740993, kind = "x\\xff", table = float[2] {inf,nan}> ()
}

<
  domain: "com.example",
  overload: "fast",
  opset_import: ["": 17]
>
Scale <names, factor = 1.0> (x, bias, w) => (y) {
  f = Constant <value_float: float = @factor> ()
  y = Mul (x, f)
}
`;

describe('printModel', () => {
  it('prints what it parsed, letter by letter', () => {
    expect(printModel(parseModel(golden))).toBe(golden);
  });

  it('elides tensors of more than 16 elements, or of as many as it is told', () => {
    const graph = new Graph('g');
    graph.addInitializer(float32Tensor([16], new Array(16).fill(0)), 'small');
    graph.addInitializer(float32Tensor([17], new Array(17).fill(0)), 'large');
    const model = new Model(graph);
    expect(printModel(model)).toContain(`float[16] small = {${new Array(16).fill(0)}}`);
    expect(printModel(model)).toContain('float[17] large = ["elided": "large"]');
    expect(printModel(model, { weights: Number.POSITIVE_INFINITY })).not.toContain('elided');
    expect(printModel(model, { weights: 0 })).toContain('float[16] small = ["elided": "small"]');
  });

  it('reads no payload that it does not print', () => {
    const graph = new Graph('g');
    const job = { parts: [{ elementType: 'float32', dims: [100] }] as const, run: () => expect.unreachable() };
    const tensor = float32Tensor([100], new Array(100).fill(0));
    const lazy = Object.assign(Object.create(Object.getPrototypeOf(tensor)), tensor, {
      backing: { kind: 'computed', job, part: 0 },
    });
    graph.addInitializer(lazy, 'lazy');
    expect(printModel(new Model(graph))).toContain('["elided": "lazy"]');
  });

  it('names what has no name, as the writer does', () => {
    const graph = new Graph('g');
    const input = graph.addInput(new Value('x'));
    const first = addNode(graph, 'Relu', { inputs: [input] });
    const second = addNode(graph, 'Neg', { inputs: [first.outputs[0]], outputTypes: [tensorType('float32', [])] });
    graph.addOutput(second.outputs[0] as Value);
    expect(printModel(new Model(graph))).toBe(
      'g (x) => (float output_1) {\n  Relu_output_2 = Relu (x)\n  output_1 = Neg (Relu_output_2)\n}\n',
    );
  });

  it('quotes names that are not identifiers, and those that would be read as types or numbers', () => {
    const graph = new Graph('größe');
    const names = ['a/b', 'float', 'seq', 'inf', 'NaN', '0', 'line\nbreak', '名前', '"', '\\', 'ok_1'];
    for (const name of names) graph.addInput(new Value(name));
    expect(printModel(new Model(graph))).toBe(
      '"größe" ("a/b", "float", "seq", "inf", "NaN", "0", "line\\nbreak", "名前", "\\"", "\\\\", ok_1) => () {\n}\n',
    );
  });

  it('escapes what a terminal would obey', () => {
    const graph = new Graph('g');
    graph.docString = '\u001b[2J\u202e\u0000\u0085';
    expect(printModel(new Model(graph))).toContain('doc_string: "\\x1b[2J\\xe2\\x80\\xae\\x00\\xc2\\x85"');
  });

  it.each<[string, Attribute, string]>([
    ['float', { type: 'float', value: Math.fround(0.1) }, 'a = 0.1'],
    ['whole float', { type: 'float', value: 3 }, 'a = 3.0'],
    ['negative zero', { type: 'float', value: -0 }, 'a = -0.0'],
    ['tiny float', { type: 'float', value: 2 ** -149 }, 'a = 1.4013e-45'],
    ['largest float', { type: 'float', value: Math.fround(3.4028234663852886e38) }, 'a = 3.4028235e+38'],
    ['infinity', { type: 'float', value: Number.NEGATIVE_INFINITY }, 'a = -inf'],
    ['NaN', { type: 'float', value: Number.NaN }, 'a = nan'],
    ['bigint', { type: 'int', value: -(2n ** 63n) }, 'a = -9223372036854775808'],
    ['string', stringAttribute('tab\there'), 'a = "tab\\there"'],
    ['bytes', { type: 'string', value: Uint8Array.of(0x41, 0xff, 0x22) }, 'a = "A\\xff\\""'],
    ['scalar tensor', { type: 'tensor', value: float32Tensor([], [1]) }, 'a = float {1}'],
    ['empty tensor', { type: 'tensor', value: int64Tensor([0, 2], []) }, 'a = int64[0,2] {}'],
    [
      'half tensor',
      { type: 'tensor', value: tensorOf('float16', [2], Uint16Array.of(0x3c00, 0xfc00)) },
      'a = float16[2] {15360,64512}',
    ],
    [
      '4-bit tensor',
      { type: 'tensor', value: tensorOf('int4', [3], Uint8Array.of(0x8f, 0x07)) },
      'a = int4[3] {-1,-8,7}',
    ],
    [
      '2-bit tensor',
      { type: 'tensor', value: tensorOf('uint2', [5], Uint8Array.of(0b11100100, 0b01)) },
      'a = uint2[5] {0,1,2,3,1}',
    ],
    [
      'complex tensor',
      { type: 'tensor', value: tensorOf('complex64', [1], Float32Array.of(1, -2)) },
      'a = complex64[1] {1,-2}',
    ],
    ['floats', { type: 'floats', value: [1, 0.5] }, 'a = [1.0, 0.5]'],
    ['no strings', { type: 'strings', value: [] }, 'a: strings = []'],
    ['tensors', { type: 'tensors', value: [int64Tensor([1], [1])] }, 'a = [int64[1] {1}]'],
    ['reference', { type: 'ref', parameter: 'p', of: 'ints' }, 'a: ints = @p'],
    ['encoded', { type: 'opaque', value: Uint8Array.of(10, 0) }, 'a: opaque = "\\n\\x00"'],
  ])('prints and parses an attribute: %s', (_, attribute, text) => {
    const graph = new Graph('g');
    addNode(graph, 'Op', { inputs: [], outputs: [], attributes: { a: attribute } });
    const printed = printModel(new Model(graph));
    expect(printed).toBe(`g () => () {\n   = Op <${text}> ()\n}\n`);
    expect([...parseModel(printed).graph.nodes()][0]?.attributes.get('a')).toEqual(attribute);
  });

  it.each([
    'float',
    'double[]',
    'float16[1,N,?,"odd name"]',
    'sparse_tensor(float[2])',
    'seq(map(int64, seq(string)))',
    'optional(seq(uint4[2]))',
    'opaque()',
    'undefined[2]',
    'seq(?)',
    'map(undefined, ?)',
  ])('prints and parses the type %s', (type) => {
    const text = `g (${type} x) => () {\n}\n`;
    expect(printModel(parseModel(text))).toBe(text);
  });
});
