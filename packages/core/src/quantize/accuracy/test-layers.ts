import { onnxruntime } from '../../../../runtime-onnxruntime/src/index.ts';
import type { TensorData } from '../../backend/index.ts';
import { tapModel } from '../../calibrate/index.ts';
import { type Random, seededRandom } from '../../foundation/index.ts';
import type { Model } from '../../ir/index.ts';
import type { ObservationRequest } from '../../observe/index.ts';
import { serializeModel } from '../../onnx/index.ts';
import { nodeIds, type Plan } from '../../plan/index.ts';
import { parseModel } from '../../text/index.ts';
import { realize } from '../realize.ts';
import type { Observed } from './observed.ts';
import { productsOf } from './product.ts';

/** The same model every time: tests edit what they get. */
export type MakeModel = () => Model;

/** A model in text, with weights that `normal`, `outlier` and `inlier` stand for: `float[4,8] w = normal*0.5`. */
export function modelOf(graph: string, opset = 17): MakeModel {
  const text = `<ir_version: 8, opset_import: ["": ${opset}]> g ${filled(graph)}`;
  return () => parseModel(text);
}

const placeholder = /float\[([\d,]+)\] (\w+) = (normal|outlier|inlier)(?:\*([\d.]+))?/g;

function filled(graph: string): string {
  const random = seededRandom(1);
  return graph.replaceAll(placeholder, (_all, dims: string, name: string, kind: Kind, factor = '1') => {
    const numbers = numbersOf(dims.split(',').map(Number), kind, Number(factor), random);
    return `float[${dims}] ${name} = {${numbers.join(',')}}`;
  });
}

type Kind = 'normal' | 'outlier' | 'inlier';

/** Channel that outliers are planted in. */
const planted = 1;
const plantedFactor = 256;

/** Seeded normal numbers. `outlier`: column 1 is 256 times larger; `inlier`: row 1 is 256 times smaller. */
function numbersOf(dims: readonly number[], kind: Kind, factor: number, random: Random): string[] {
  const columns = dims.at(-1) as number;
  const count = dims.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: count }, (_, index) => {
    const number = Math.fround(random.normal() * factor);
    if (kind === 'outlier' && index % columns === planted) return `${number * plantedFactor}`;
    if (kind === 'inlier' && Math.floor(index / columns) === planted) return `${number / plantedFactor}`;
    return `${number}`;
  });
}

/** Seeded normal numbers. */
export function normalInput(dims: readonly number[], seed: number): TensorData {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal());
  return { elementType: 'float32', dims, bytes: new Uint8Array(values.buffer) };
}

export type Feeds = Readonly<Record<string, TensorData>>;

/** The numbers of the first output. */
export async function runModel(model: Model, feeds: readonly Feeds[]): Promise<Float32Array[]> {
  const session = await onnxruntime.createSession({ bytes: serializeModel(model) });
  try {
    const results: Float32Array[] = [];
    for (const one of feeds) {
      const [output] = Object.values(await session.run(one));
      results.push(new Float32Array(new Uint8Array(output?.bytes ?? []).buffer));
    }
    return results;
  } finally {
    await session.close();
  }
}

/** Collects what is asked for, as the product does. */
export async function observe(
  model: Model,
  requests: readonly ObservationRequest[],
  feeds: readonly Feeds[],
): Promise<Observed> {
  const { taps } = tapModel(model, requests);
  const session = await onnxruntime.createSession({ bytes: serializeModel(model) });
  try {
    for (const [sample, one] of feeds.entries()) await session.observe(one, taps, sample);
    return { tensors: await session.observations(), rows: await session.sampledRows() };
  } finally {
    await session.close();
  }
}

/** ‖a − b‖ / ‖b‖ over all runs. */
export function relativeDistance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let distance = 0;
  let norm = 0;
  for (const [run, values] of b.entries()) {
    for (const [index, value] of values.entries()) {
      distance += ((a[run]?.[index] ?? Number.NaN) - value) ** 2;
      norm += value ** 2;
    }
  }
  return Math.sqrt(distance / norm);
}

/** All products dynamic int8, with weights that are exact on every CPU. */
export function quantized(model: Model): Model {
  const ids = nodeIds(model);
  const weight = { elementType: 'int8', granularity: 'channel', range: 'pair-aware' } as const;
  const entries = productsOf(model).map(({ node }) => ({
    id: ids.get(node) as string,
    op: node.op,
    decision: { action: 'matmul', weight, capability: 'test' } as const,
  }));
  const plan: Plan = { version: 1, target: 't', features: [], recipe: 'r', valueInfo: 'keep', entries };
  realize(model, plan);
  return model;
}
