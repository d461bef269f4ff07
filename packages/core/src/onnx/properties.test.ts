import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySink, MemorySource } from '../foundation/index.ts';
import {
  type Attribute,
  assignNames,
  byteLengthOf,
  type ElementType,
  elementCount,
  elementTypes,
  Graph,
  Model,
  Node,
  Tensor,
  tensorOfBytes,
  Value,
  type ValueType,
  verify,
  walkValues,
} from '../ir/index.ts';
import { executePlan, planWrite, readModel, serializeModel, type WriteOptions } from './index.ts';

interface TensorPlan {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly seed: Uint8Array;
  readonly name: string | undefined;
}

const names = fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { nil: undefined });
const dims = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
const tensorPlan: fc.Arbitrary<TensorPlan> = fc.record({
  elementType: fc.constantFrom(...elementTypes),
  dims,
  seed: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  name: names,
});
const finite = fc.float({ noNaN: true });
const longs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(narrow);
const attributes: fc.Arbitrary<Attribute> = fc.oneof(
  finite.map((value): Attribute => ({ type: 'float', value })),
  longs.map((value): Attribute => ({ type: 'int', value })),
  fc.string({ unit: 'grapheme' }).map((value): Attribute => ({ type: 'string', value })),
  fc.array(finite).map((value): Attribute => ({ type: 'floats', value })),
  fc.array(longs).map((value): Attribute => ({ type: 'ints', value })),
  fc.array(fc.string({ unit: 'grapheme' })).map((value): Attribute => ({ type: 'strings', value })),
  tensorPlan.map((plan): Attribute => ({ type: 'tensor', value: makeTensor(plan) })),
  fc.array(tensorPlan, { maxLength: 3 }).map((plans): Attribute => ({ type: 'tensors', value: plans.map(makeTensor) })),
);
const modelPlan = fc.record({
  tensors: fc.array(tensorPlan, { minLength: 1, maxLength: 6 }),
  attributes: fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), attributes), {
    selector: ([name]) => name,
  }),
  metadata: fc.uniqueArray(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { selector: ([key]) => key }),
  inputShape: fc.array(fc.oneof(fc.nat(9), fc.constant('batch'), fc.constant(null)), { maxLength: 4 }),
  withSubgraph: fc.boolean(),
});
type ModelPlan = typeof modelPlan extends fc.Arbitrary<infer T> ? T : never;

/** Integers of attributes are bigints only outside ±2^53. */
function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function makeTensor({ elementType, dims, seed }: TensorPlan): Tensor {
  const fill = (length: number): Uint8Array =>
    Uint8Array.from({ length }, (_, index) => seed[index % seed.length] as number);
  if (elementType !== 'string') return tensorOfBytes(elementType, dims, fill(byteLengthOf(elementType, dims)));
  const values = Array.from({ length: elementCount(dims) }, (_, index) => fill(index % 7));
  return new Tensor('string', dims, { kind: 'strings', values });
}

function makeModel(plan: ModelPlan): Model {
  const graph = new Graph('main');
  const model = new Model(graph);
  model.irVersion = 10;
  model.opsetImports.push({ domain: '', version: 17 });
  for (const [key, value] of plan.metadata) model.metadata.set(key, value);
  const shape: ValueType = { kind: 'tensor', elementType: 'float32', shape: plan.inputShape };
  const input = graph.addInput(new Value('input', shape));
  const weights = plan.tensors.map((tensor) => graph.addInitializer(makeTensor(tensor), tensor.name));
  const output = new Value('output', shape);
  const fields = { inputs: [input, undefined, ...weights], outputs: [output, undefined, new Value()] };
  graph.append(new Node('Custom', { ...fields, attributes: new Map(plan.attributes) }));
  graph.addOutput(output);
  if (plan.withSubgraph) addBranch(graph, input);
  return model;
}

/** A branch that reads a value from outside and names one as the outer graph might. */
function addBranch(graph: Graph, input: Value): void {
  const inner = new Graph('branch');
  const result = new Value('output');
  inner.append(new Node('Identity', { inputs: [input], outputs: [result] }));
  inner.addOutput(result);
  const attributes = { then_branch: { type: 'graph', value: inner } } as const;
  graph.append(new Node('If', { inputs: [input], outputs: [new Value('branched')], attributes }));
}

/** Everything that a model says but for the names of values that had none, or had one that was taken. */
function factsOf(model: Model): unknown {
  const nodes = (graph: Graph): unknown[] =>
    [...graph.nodes()].map(({ op, domain, inputs, outputs, attributes }) => ({
      op,
      domain,
      inputs: inputs.map((value) => value !== undefined),
      outputs: outputs.map((value) => value !== undefined),
      attributes: [...attributes].map(([name, attribute]) => [name, attributeFacts(attribute, nodes)]),
    }));
  const { graph, metadata, irVersion, opsetImports } = model;
  const weights = [...graph.initializers].map(({ origin, type }) => [
    origin.kind === 'initializer' && tensorFacts(origin.tensor),
    type,
  ]);
  const signature = [...graph.inputs, ...graph.outputs].map(({ name, type }) => ({ name, type }));
  return { irVersion, opsetImports, metadata: [...metadata], signature, weights, nodes: nodes(graph) };
}

function attributeFacts(attribute: Attribute, nodes: (graph: Graph) => unknown): unknown {
  if (attribute.type === 'graph') return nodes(attribute.value);
  if (attribute.type === 'tensor') return tensorFacts(attribute.value);
  return attribute.type === 'tensors' ? attribute.value.map(tensorFacts) : attribute;
}

const tensorFacts = (tensor: Tensor): unknown => ({
  elementType: tensor.elementType,
  dims: tensor.dims,
  data: (tensor.elementType === 'string' ? tensor.strings() : [tensor.bytes()]).map((bytes) => [...bytes]),
});

function writeAndRead(
  model: Model,
  options: WriteOptions,
): { model: Model; positions: number[]; external: Uint8Array } {
  const plan = planWrite(model, options);
  const sinks = { model: new MemorySink(), external: new MemorySink() };
  executePlan(plan, sinks);
  expect(sinks.model.bytes.byteLength).toBe(plan.model.byteLength);
  const external = new MemorySource(sinks.external.bytes, 'data');
  const read = readModel(new MemorySource(sinks.model.bytes.slice(), 'model.onnx'), { openExternal: () => external });
  const positions = (plan.external?.segments ?? []).map(({ position }) => position);
  return { model: read, positions, external: sinks.external.bytes };
}

describe('read ∘ write', () => {
  it('is identity for every element type, string, empty tensor and attribute', () => {
    fc.assert(
      fc.property(modelPlan, (plan) => {
        const model = makeModel(plan);
        const { model: again } = writeAndRead(model, {});
        expect(factsOf(again)).toEqual(factsOf(model));
        expect(verify(again)).toEqual([]);
        expect(Buffer.compare(serializeModel(again), serializeModel(model))).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  it('is identity with external data, each weight on a cache line', () => {
    fc.assert(
      fc.property(modelPlan, fc.integer({ min: 0, max: 40 }), (plan, minimumByteLength) => {
        const model = makeModel(plan);
        const { model: again, positions } = writeAndRead(model, { external: { location: 'data', minimumByteLength } });
        expect(factsOf(again)).toEqual(factsOf(model));
        expect(positions.every((position) => position % 64 === 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is identity when external data goes back into the model, and out again to the same bytes', () => {
    fc.assert(
      fc.property(modelPlan, (plan) => {
        const options = { external: { location: 'data', minimumByteLength: 1 } };
        const first = writeAndRead(makeModel(plan), options);
        const inline = writeAndRead(first.model, {});
        expect(factsOf(inline.model)).toEqual(factsOf(first.model));
        expect(Buffer.compare(writeAndRead(inline.model, options).external, first.external)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('large weights start on a page, and the same bytes are stored once', () => {
    const bytes = new Uint8Array(1 << 20).fill(7);
    const graph = new Graph('main');
    const model = new Model(graph);
    Object.assign(model, { irVersion: 10, opsetImports: [{ domain: '', version: 17 }] });
    graph.addInitializer(tensorOfBytes('int8', [100], bytes.slice(0, 100)), 'small');
    const [one, two] = ['one', 'two'].map((name) =>
      graph.addInitializer(tensorOfBytes('int8', [1 << 20], bytes), name),
    );
    graph.append(new Node('Add', { inputs: [one, two], outputs: [new Value('y')] }));
    const { positions, external } = writeAndRead(model, { external: { location: 'data', minimumByteLength: 1 } });
    expect(positions).toEqual([0, 4096]);
    expect(external.byteLength).toBe(4096 + bytes.byteLength);
  });

  it('of a slim model finds the weights in the file that they were in', () => {
    const bytes = serializeModel(makeModel({ ...emptyPlan, tensors: [largeTensor] }));
    const original = new MemorySource(bytes, 'original.onnx');
    const model = readModel(original);
    const slim = serializeModel(model, {
      slim: { locate: (source) => (source === original ? 'original.onnx' : undefined) },
    });
    expect(slim.byteLength).toBeLessThan(1000);
    const again = readModel(new MemorySource(slim, 'slim.onnx'), { openExternal: () => original });
    expect(factsOf(again)).toEqual(factsOf(model));
  });

  it.each(['../data', '/data', 'C:data', 'CON', 'nul.bin', 'data.', 'data ', 'a<b', 'a\nb', ''])(
    'does not make external data named %j',
    (location) => {
      expect(() => planWrite(makeModel(emptyPlan), { external: { location } })).toThrow('cannot be named');
    },
  );
});

const largeTensor: TensorPlan = { elementType: 'float32', dims: [64, 64], seed: Uint8Array.of(1, 2, 3), name: 'w' };
const emptyPlan: ModelPlan = {
  tensors: [largeTensor],
  attributes: [],
  metadata: [],
  inputShape: [],
  withSubgraph: true,
};

describe('names', () => {
  it('are given the same each time, once in each scope, and those of inputs and outputs stay', () => {
    fc.assert(
      fc.property(modelPlan, (plan) => {
        const [one, two] = [makeModel(plan), makeModel(plan)];
        const [a, b] = [assignNames(one), assignNames(two)];
        expect([...walkValues(one)].map((value) => a.get(value))).toEqual(
          [...walkValues(two)].map((value) => b.get(value)),
        );
        const main = [...walkValues(one)].filter(({ origin }) => isOf(origin, one.graph)).map((value) => a.get(value));
        expect(new Set(main).size).toBe(main.length);
        expect(one.graph.inputs.map((value) => a.get(value))).toEqual(['input']);
        expect(one.graph.outputs.map((value) => a.get(value))).toEqual(['output']);
        expect(Buffer.compare(serializeModel(one), serializeModel(two))).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

const isOf = (origin: Value['origin'], graph: Graph): boolean =>
  origin.kind === 'output' ? origin.node.graph === graph : origin.kind !== 'detached' && origin.graph === graph;
