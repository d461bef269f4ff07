import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zooPaths } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { ModelSource, TensorData } from '../backend/index.ts';
import { seededRandom } from '../foundation/index.ts';
import {
  addNode,
  float32Tensor,
  Graph,
  intAttribute,
  intsAttribute,
  Model,
  tensorType,
  Value,
  verify,
  walkNodes,
} from '../ir/index.ts';
import { loadModelSync } from '../node/load-model.ts';
import { serializeModel } from '../onnx/index.ts';
import { canonicalise } from './canonicalise.ts';
import { raiseOpset } from './raise-opset.ts';

/** Runs both on the same feeds; the norm of the difference of all outputs over that of the first's. */
async function relativeError(a: ModelSource, b: ModelSource, feeds: readonly Record<string, TensorData>[]) {
  const sessions = await Promise.all([a, b].map((source) => onnxruntime.createSession(source)));
  try {
    let [difference, norm] = [0, 0];
    for (const feed of feeds) {
      const [expected, got] = await Promise.all(sessions.map(async (session) => numbers(await session.run(feed))));
      expect(got?.length).toBe(expected?.length);
      expected?.forEach((value, index) => {
        difference += (value - (got?.[index] as number)) ** 2;
        norm += value ** 2;
      });
    }
    return Math.sqrt(difference / norm);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

const numbers = (outputs: Readonly<Record<string, TensorData>>): number[] =>
  Object.values(outputs).flatMap(({ bytes }) => [...new Float32Array(new Uint8Array(bytes).buffer)]);

const image = (dims: readonly number[], seed: number): TensorData => {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal());
  return { elementType: 'float32', dims, bytes: new Uint8Array(values.buffer) };
};

const layer = fc.record({
  op: fc.constantFrom(
    'Conv',
    'ConvTranspose',
    'BatchNormalization',
    'Mul',
    'Add',
    'Sub',
    'Div',
    'Identity',
    'Relu',
    'HardSwish',
  ),
  /** Filters for each group. */
  width: fc.integer({ min: 1, max: 3 }),
  isGrouped: fc.boolean(),
  isPadded: fc.boolean(),
  hasBias: fc.boolean(),
  isPerChannel: fc.boolean(),
  isReversed: fc.boolean(),
  isAlsoOutput: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
});
type Layer = typeof layer extends fc.Arbitrary<infer T> ? T : never;

/** A small convolutional network of these layers over [1, 2, 9, 9]. */
function network(layers: readonly Layer[], seed: number): Model {
  const random = seededRandom(seed);
  const graph = new Graph('network');
  let channels = 2;
  let value = graph.addInput(new Value('x', tensorType('float32', [1, channels, 9, 9])));
  // Away from zero, so that a quotient stays in reach.
  const tensor = (...dims: number[]) => {
    const values = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.next() + 0.25);
    return graph.addInitializer(float32Tensor(dims, values));
  };
  const add = (op: string, inputs: readonly Value[], attributes = {}): Value =>
    addNode(graph, op, { inputs, attributes }).outputs[0] as Value;
  const scalar = (number: number): Value => graph.addInitializer(float32Tensor([], [number]));
  for (const { op, width, isGrouped, isPadded, hasBias, isPerChannel, isReversed, isAlsoOutput } of layers) {
    if (op === 'Conv' || op === 'ConvTranspose') {
      const group = isGrouped ? channels : 1;
      const dims = op === 'Conv' ? [width * group, channels / group, 2, 2] : [channels, width, 2, 2];
      channels = width * group;
      const pads = intsAttribute(isPadded ? [1, 0, 0, 1] : [0, 0, 0, 0]);
      const weights = [tensor(...dims), ...(hasBias ? [tensor(channels)] : [])];
      value = add(op, [value, ...weights], { group: intAttribute(group), pads });
    } else if (op === 'BatchNormalization') {
      value = add(op, [value, tensor(channels), tensor(channels), tensor(channels), tensor(channels)]);
    } else if (op === 'HardSwish') {
      const clipped = add('Clip', [add('Add', [value, scalar(3)]), scalar(0), scalar(6)]);
      value = add('Div', [add('Mul', isReversed ? [clipped, value] : [value, clipped]), scalar(6)]);
    } else if (op === 'Relu' || op === 'Identity') {
      value = add(op, [value]);
    } else {
      const constant = isPerChannel ? tensor(channels, 1, 1) : tensor(1);
      value = add(op, isReversed && op !== 'Div' ? [constant, value] : [value, constant]);
    }
    if (isAlsoOutput) expose(graph, value);
  }
  expose(graph, add('Relu', [value]));
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 13);
  return model;
}

function expose(graph: Graph, value: Value): void {
  if (value.isPublic) return;
  value.name = `y${graph.outputs.length}`;
  value.type = tensorType('float32');
  graph.addOutput(value);
}

describe('canonicalise', () => {
  it('computes the same, whatever the network, and leaves nothing to do', async () => {
    const property = fc.asyncProperty(
      fc.array(layer, { minLength: 2, maxLength: 8 }),
      fc.nat(1000),
      async (layers, seed) => {
        const original = serializeModel(network(layers, seed));
        const model = network(layers, seed);
        canonicalise(model, { onApplied: () => expect(verify(model)).toEqual([]) });
        expect(canonicalise(model)).toEqual([]);
        const feeds = [{ x: image([1, 2, 9, 9], seed) }];
        // Float32 sums of some ten positive terms, in chains of eight.
        expect(await relativeError({ bytes: original }, { bytes: serializeModel(model) }, feeds)).toBeLessThan(1e-5);
      },
    );
    await fc.assert(property, { numRuns: 20, seed: 4 });
  });

  it('says what it applied', () => {
    const conv = { op: 'Conv', width: 2, isGrouped: false, isPadded: false, hasBias: true } as const;
    const rest = { isPerChannel: false, isReversed: false, isAlsoOutput: false };
    const layers = ['Conv', 'BatchNormalization', 'Mul', 'HardSwish', 'Identity'].map(
      (op) => ({ ...conv, ...rest, op }) as Layer,
    );
    const model = network(layers, 1);
    expect(canonicalise(model)).toEqual([
      { pass: 'remove-identity', count: 1 },
      { pass: 'recognise-hard-swish', count: 1 },
      { pass: 'fold-batch-normalization', count: 1 },
      { pass: 'fold-affine', count: 1 },
    ]);
    expect([...walkNodes(model)].map(({ op }) => op)).toEqual(['Conv', 'HardSigmoid', 'Mul', 'Relu']);
  });

  const [recognizer] = zooPaths('models/ppocr-v4-rec.onnx') ?? [];

  it.skipIf(!recognizer)(
    'leaves a text recognizer with a third fewer operators that reads the same, in opset 13 too',
    async () => {
      const { model, close } = loadModelSync(recognizer as string);
      const before = [...walkNodes(model)].filter(({ op }) => op !== 'Constant').length;
      const applied = canonicalise(model, { onApplied: () => expect(verify(model)).toEqual([]) });
      expect(applied).toEqual([
        { pass: 'remove-identity', count: 7 },
        { pass: 'recognise-hard-swish', count: 28 },
        { pass: 'fold-batch-normalization', count: 6 },
        { pass: 'fold-affine', count: 93 },
      ]);
      const operators = [...walkNodes(model)].map(({ op }) => op);
      expect(operators).not.toContain('BatchNormalization');
      expect(operators).not.toContain('Clip');
      expect(before - operators.filter((op) => op !== 'Constant').length).toBe(162);
      expect(raiseOpset(model)).toEqual([]);
      expect(verify(model)).toEqual([]);
      const bytes = serializeModel(model);
      close();
      const feeds = [320, 97].map((width) => ({ x: image([1, 3, 48, width], width) }));
      expect(await relativeError({ path: recognizer as string }, { bytes }, feeds)).toBeLessThan(1e-4);
    },
  );
});
