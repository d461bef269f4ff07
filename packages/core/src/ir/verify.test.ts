import { describe, expect, it } from 'vitest';
import {
  type Attribute,
  addNode,
  Graph,
  graphAttribute,
  int64Tensor,
  invariants,
  Model,
  type ModelFunction,
  type Node,
  Tensor,
  tensorAttribute,
  tensorOfBytes,
  Value,
  verify,
} from './index.ts';

/** x → Relu → If (reads Relu's output inside) → y; weight w. */
function sample() {
  const graph = new Graph('main');
  const model = new Model(graph);
  const input = graph.addInput(new Value('x'));
  const weight = graph.addInitializer(int64Tensor([2], [1, 2]), 'w');
  const relu = addNode(graph, 'Relu', { name: 'relu', inputs: [input] });
  const body = new Graph('then');
  const inner = addNode(body, 'Add', { name: 'inner', inputs: [relu.outputs[0], weight] });
  body.addOutput(inner.outputs[0] as Value);
  const branch = addNode(graph, 'If', {
    name: 'branch',
    inputs: [relu.outputs[0]],
    attributes: { then_branch: graphAttribute(body) },
  });
  const output = branch.outputs[0] as Value;
  output.name = 'y';
  graph.addOutput(output);
  return { graph, model, input, weight, relu, body, inner, branch, output };
}

type Sample = ReturnType<typeof sample>;

function functionOf(name: string): ModelFunction {
  const body = new Graph();
  body.addOutput(addNode(body, 'Neg', { inputs: [body.addInput(new Value('a'))] }).outputs[0] as Value);
  return {
    name,
    domain: 'local',
    overload: undefined,
    body,
    attributes: [],
    attributeDefaults: new Map(),
    opsetImports: [],
  };
}

/** What no edit can do: each breaks the model behind the back of its methods. */
const corruptions: readonly [rule: string, what: string, corrupt: (sample: Sample) => void][] = [
  ['node-list', 'a node that names another graph', ({ relu }) => (relu.graph = new Graph())],
  ['node-list', 'a missing link backwards', ({ branch }) => (branch.previous = undefined)],
  ['node-list', 'a missing link forwards', ({ relu }) => (relu.next = undefined)],
  ['node-list', 'a loop', ({ relu, branch }) => (branch.next = relu)],
  ['subgraph-owner', 'a subgraph without owner', ({ body }) => (body.owner = undefined)],
  ['subgraph-owner', 'a main graph with owner', ({ graph, relu }) => (graph.owner = relu)],
  [
    'subgraph-owner',
    'a graph in two attributes',
    ({ body, branch }) => (branch.attributes as Map<string, Attribute>).set('else_branch', graphAttribute(body)),
  ],
  ['single-origin', 'two nodes that make one value', ({ relu, branch }) => replaceOutput(branch, relu.outputs[0])],
  ['single-origin', 'a node that makes an input', ({ relu, input }) => replaceOutput(relu, input)],
  ['single-origin', 'an input that is there twice', ({ graph, input }) => (graph.inputs as Value[]).push(input)],
  ['origin-link', 'an output that says it is detached', ({ relu }) => relu.outputs[0]?.detach()],
  ['origin-link', 'an input that says it is detached', ({ input }) => input.detach()],
  ['origin-link', 'an input that claims data', ({ graph, input }) => claimData(graph, input)],
  ['use-link', 'a read that the value does not list', ({ input, relu }) => forgetUse(input, relu)],
  [
    'use-link',
    'a use that is not there',
    ({ input, inner }) => input.attachUse({ kind: 'input', node: inner, index: 0 }),
  ],
  ['use-link', 'a use outside of the model', ({ input }) => void addNode(new Graph(), 'Neg', { inputs: [input] })],
  [
    'use-link',
    'an output of a graph that is not one',
    ({ input, graph }) => input.attachUse({ kind: 'output', graph, index: 0 }),
  ],
  ['no-detached-read', 'a read of what nothing makes', ({ relu }) => relu.setInput(0, new Value('lost'))],
  ['defined-before-use', 'a read of what comes later', ({ relu, output }) => relu.setInput(0, output)],
  ['defined-before-use', 'a read of what is inside', ({ branch, inner }) => branch.setInput(0, inner.outputs[0])],
  ['defined-before-use', 'a read of its own output', ({ relu }) => relu.setInput(0, relu.outputs[0])],
  ['defined-before-use', 'an output that is not made', ({ body }) => body.addOutput(new Value('lost'))],
  [
    'initializer-type',
    'another element type',
    ({ weight }) => (weight.type = { kind: 'tensor', elementType: 'float32', shape: [2] }),
  ],
  [
    'initializer-type',
    'another size',
    ({ weight }) => (weight.type = { kind: 'tensor', elementType: 'int64', shape: [3] }),
  ],
  [
    'initializer-type',
    'another rank',
    ({ weight }) => (weight.type = { kind: 'tensor', elementType: 'int64', shape: [] }),
  ],
  ['initializer-type', 'another kind', ({ weight }) => (weight.type = { kind: 'sequence' })],
  ['tensor-bytes', 'bytes that were taken away', ({ graph }) => graph.addInitializer(transferred(), 't')],
  [
    'tensor-bytes',
    'bytes taken from an attribute',
    ({ relu }) => relu.setAttribute('t', tensorAttribute(transferred())),
  ],
  [
    'tensor-bytes',
    'too few strings',
    ({ graph }) => graph.addInitializer(new Tensor('string', [2], { kind: 'strings', values: [] }), 's'),
  ],
  ['tensor-bytes', 'a range past the end', ({ graph }) => graph.addInitializer(pastTheEnd(), 'r')],
  ['public-names', 'two inputs of one name', ({ graph }) => graph.addInput(new Value('x'))],
  ['public-names', 'an output named like an input', ({ output }) => (output.name = 'x')],
  ['public-names', 'two outputs of one name in a subgraph', ({ body }) => nameTwice(body)],
  [
    'function-names',
    'two functions of one name',
    ({ model }) => model.functions.push(functionOf('f'), functionOf('f')),
  ],
];

function replaceOutput(node: Node, value: Value | undefined): void {
  (node.outputs as (Value | undefined)[])[0] = value;
}

function claimData(graph: Graph, value: Value): void {
  value.setOrigin({ kind: 'input', graph, fallback: int64Tensor([1], [1]) });
}

function forgetUse(value: Value, reader: Node): void {
  for (const use of value.uses) if (use.kind === 'input' && use.node === reader) value.detachUse(use);
}

function transferred(): Tensor {
  const bytes = new Uint8Array(8);
  const tensor = tensorOfBytes('int64', [1], bytes);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return tensor;
}

function pastTheEnd(): Tensor {
  const source = { name: 'short.bin', byteLength: 4, readInto: () => {} };
  return new Tensor('int64', [1], { kind: 'range', source, offset: 0, byteLength: 8 });
}

function nameTwice(graph: Graph): void {
  for (let count = 0; count < 2; count++) {
    const value = addNode(graph, 'Neg', { inputs: [] }).outputs[0] as Value;
    value.name = 'twice';
    graph.addOutput(value);
  }
}

describe('verify', () => {
  it('finds nothing in a sound model', () => {
    const { model } = sample();
    model.functions.push(functionOf('f'), functionOf('g'));
    expect(verify(model)).toEqual([]);
  });

  it.each(corruptions)('%s fires on %s', (rule, _, corrupt) => {
    const made = sample();
    corrupt(made);
    expect(verify(made.model).map((found) => found.rule)).toContain(rule);
  });

  it('shows every invariant to fire', () => {
    expect(new Set(corruptions.map(([rule]) => rule))).toEqual(new Set(invariants.map(({ name }) => name)));
  });

  it('looks into functions', () => {
    const { model } = sample();
    const broken = functionOf('f');
    broken.body.firstNode?.setInput(0, new Value('lost'));
    model.functions.push(broken);
    expect(verify(model).map((found) => found.rule)).toContain('no-detached-read');
  });

  it('says what is wrong and where', () => {
    const { model, relu, output } = sample();
    relu.setInput(0, output);
    expect(verify(model)).toEqual([
      {
        severity: 'error',
        rule: 'defined-before-use',
        message: 'reads value "y", which is not defined before it',
        at: 'node Relu "relu"',
      },
    ]);
  });

  it('accepts an input that is an initializer, with a size that is a symbol', () => {
    const { model, graph } = sample();
    const value = graph.addInput(new Value('both', { kind: 'tensor', elementType: 'int64', shape: ['n'] }));
    graph.addInitializer(int64Tensor([2], [1, 2]), undefined, value);
    expect(verify(model)).toEqual([]);
  });
});
