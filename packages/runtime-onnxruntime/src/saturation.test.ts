import {
  addNode,
  featuresOf,
  Graph,
  holdsOn,
  integerProduct,
  isPairSafe,
  Model,
  type Random,
  seededRandom,
  serializeModel,
  tensorOf,
  tensorType,
  Value,
} from '@optimum/core';
import { readCpuFacts } from '@optimum/core/node';
import { describe, expect, it } from 'vitest';
import { capabilities } from './capabilities.ts';
import { createOnnxRuntime } from './runtime.ts';

const features = featuresOf(readCpuFacts());
const claim = capabilities.find(
  (one) => one.op === 'MatMul' && one.activation === 'uint8' && one.weight === 'int8' && holdsOn(one, features),
);
/** What the capabilities say of this CPU; without a claim (plain SSE) sums are exact. */
const saturates = claim?.exact === 'pair-rule';
const runtime = createOnnxRuntime();

interface Subject {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly activations: Uint8Array;
  readonly weights: Int8Array;
  readonly zeroPoint: number;
}

/** A model of one MatMulInteger; the weights are stored, so that the runtime packs them as it does in real models. */
function productModel({ k, n, weights, zeroPoint }: Subject, isStored: boolean): Uint8Array {
  const graph = new Graph('product');
  const a = graph.addInput(new Value('a', tensorType('uint8', ['m', k])));
  const stored = tensorOf('int8', [k, n], weights);
  const b = isStored ? graph.addInitializer(stored, 'b') : graph.addInput(new Value('b', tensorType('int8', [k, n])));
  const zero = graph.addInitializer(tensorOf('uint8', [], Uint8Array.of(zeroPoint)), 'zero');
  const y = addNode(graph, 'MatMulInteger', {
    inputs: [a, b, zero],
    outputs: [new Value('y', tensorType('int32', ['m', n]))],
  });
  graph.addOutput(y.outputs[0] as Value);
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  return serializeModel(model);
}

async function kernelOutputs(subject: Subject, isStored: boolean): Promise<Int32Array> {
  const session = await runtime.createSession({ bytes: productModel(subject, isStored) });
  try {
    const { m, k, n, activations, weights } = subject;
    const a = { elementType: 'uint8', dims: [m, k], bytes: activations } as const;
    const b = { elementType: 'int8', dims: [k, n], bytes: new Uint8Array(weights.buffer) } as const;
    const { y } = await session.run(isStored ? { a } : { a, b });
    const bytes = y?.bytes.slice() ?? new Uint8Array();
    return new Int32Array(bytes.buffer);
  } finally {
    await session.close();
  }
}

/** Every output as predicted for exact and for saturating kernels. */
function predict({ m, k, n, activations, weights, zeroPoint }: Subject) {
  const exact = new Int32Array(m * n);
  const saturating = new Int32Array(m * n);
  for (let column = 0; column < n; column++) {
    const w = Int8Array.from({ length: k }, (_, row) => weights[row * n + column] as number);
    for (let row = 0; row < m; row++) {
      const product = integerProduct(activations.subarray(row * k, (row + 1) * k), w, zeroPoint);
      exact[row * n + column] = product.exact;
      saturating[row * n + column] = product.saturating;
    }
  }
  return { exact, saturating };
}

const distributions: Readonly<Record<string, (random: Random) => { a: number; w: number }>> = {
  'uniform over the full range': (random) => ({ a: random.integer(256), w: random.integer(255) - 127 }),
  'normal weights, large activations': (random) => ({ a: 128 + random.integer(128), w: clamp(random.normal() * 40) }),
  'the extremes': (random) => ({ a: 255 * random.integer(2), w: random.pick([-128, -127, 127]) }),
};

const clamp = (value: number): number => Math.max(-127, Math.min(127, Math.round(value)));

function subjectOf(
  m: number,
  k: number,
  n: number,
  random: Random,
  draw: (random: Random) => { a: number; w: number },
): Subject {
  const activations = Uint8Array.from({ length: m * k }, () => draw(random).a);
  const weights = Int8Array.from({ length: k * n }, () => draw(random).w);
  return { m, k, n, activations, weights, zeroPoint: random.integer(256) };
}

describe(`8-bit products on this CPU (${features.join(' ') || 'no features'}): ${saturates ? 'saturating' : 'exact'}`, () => {
  it.each(Object.keys(distributions))('are as predicted, integer for integer: %s', async (name) => {
    const random = seededRandom(7);
    for (const [m, k, n] of [
      [1, 64, 32],
      [5, 33, 17],
      [24, 200, 48],
    ] as const) {
      const subject = subjectOf(m, k, n, random, distributions[name] as (random: Random) => { a: number; w: number });
      const predicted = predict(subject)[saturates ? 'saturating' : 'exact'];
      for (const isStored of [true, false]) expect(await kernelOutputs(subject, isStored)).toEqual(predicted);
    }
  });

  it('are exact on every CPU with weights whose pairs cannot saturate', async () => {
    const random = seededRandom(11);
    const subject = subjectOf(16, 128, 32, random, (r) => ({ a: 255 - r.integer(8), w: r.integer(129) - 64 }));
    for (let column = 0; column < 32; column++)
      expect(
        isPairSafe(Int8Array.from({ length: 128 }, (_, row) => subject.weights[row * 32 + column] as number)),
      ).toBe(true);
    expect(await kernelOutputs(subject, true)).toEqual(predict(subject).exact);
  });
});
