import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Capability, Feature, Recipe, TensorData } from '../../packages/core/src/backend/index.ts';
import { seededRandom } from '../../packages/core/src/foundation/index.ts';
import { type Model, tensorType, type Value, verify, walkNodes } from '../../packages/core/src/ir/index.ts';
import { loadModelSync } from '../../packages/core/src/node/load-model.ts';
import { type QuantizationParameters, quantizationParameters } from '../../packages/core/src/observe/index.ts';
import { serializeModel } from '../../packages/core/src/onnx/index.ts';
import { type Plan, type StaticForm, valueIds } from '../../packages/core/src/plan/index.ts';
import { annotate } from '../../packages/core/src/quantize/annotate.ts';
import { placements } from '../../packages/core/src/quantize/placement/index.ts';
import { realize } from '../../packages/core/src/quantize/realize.ts';
import { parseModel } from '../../packages/core/src/text/index.ts';
import { onnxruntime } from '../../packages/runtime-onnxruntime/src/index.ts';

export type Feeds = Readonly<Record<string, TensorData>>;

/** A claim for every operator that can be static, whatever a runtime says. */
export const everyClaim: readonly Capability[] = placements.flatMap(({ op }) =>
  (['int8', 'uint8'] as const).map((weight) => ({
    id: `${op}-${weight}`,
    op,
    mode: 'static',
    activation: 'uint8',
    weight,
    granularity: ['channel', 'tensor'],
    requires: [],
    kernels: [],
    exact: 'always',
    speed: weight === 'int8' ? 3 : 2,
    opset: 1,
    source: 'test',
  })),
);

export const staticRecipe: Recipe = {
  id: 'static',
  description: '',
  mode: 'static',
  weights: 'by-capability',
  embeddings: 'float',
  operators: placements.filter(({ order }) => order === 'weighted' || order === 'mover').map(({ op }) => op),
  weightsFrom: 'anywhere',
  smallestTable: 1,
  valueInfo: 'keep',
  onlyIfFaster: false,
  session: {},
};

/** Everything with an integer form, and every result an integer. */
export const integerRecipe: Recipe = {
  ...staticRecipe,
  id: 'integer',
  reach: 'all',
  operators: placements.map(({ op }) => op),
};

export interface StaticOptions {
  readonly recipe?: Recipe;
  readonly form?: StaticForm;
  readonly capabilities?: readonly Capability[];
  readonly features?: readonly Feature[];
  readonly exclude?: readonly string[];
}

export const planOf = (model: Model, options: StaticOptions = {}): Plan =>
  annotate(model, {
    capabilities: options.capabilities ?? everyClaim,
    features: options.features ?? [],
    recipe: options.recipe ?? staticRecipe,
    target: 'test',
    form: options.form,
    exclude: options.exclude,
  });

/** Numbers in [-1, 1). */
export function randomFeed(dims: readonly number[], seed = 1): TensorData {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 2 * random.next() - 1);
  return { elementType: 'float32', dims, bytes: new Uint8Array(values.buffer) };
}

export const floats = ({ bytes }: TensorData): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

export interface Outcome {
  readonly outputs: readonly Readonly<Record<string, TensorData>>[];
  /** Operators of the graph that the runtime really runs, in order. */
  readonly operators: readonly string[];
}

export async function runBytes(
  model: Model,
  feeds: readonly Feeds[],
  optimization: 'disabled' | 'extended' | 'all' = 'all',
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'optimum-static-'));
  const optimizedModelPath = join(folder, 'optimized.onnx');
  try {
    const session = await onnxruntime.createSession(
      { bytes: serializeModel(model) },
      { optimization, optimizedModelPath },
    );
    try {
      const outputs = [];
      for (const feed of feeds) outputs.push(await session.run(feed));
      const loaded = loadModelSync(optimizedModelPath);
      const operators = operatorsOf(loaded.model);
      loaded.close();
      return { outputs, operators };
    } finally {
      await session.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const operatorsOf = (model: Model): string[] => [...walkNodes(model)].map(({ op }) => op);

/** What a model gives in float, and scales from the least and the greatest value that each activation shows. */
async function observe(make: () => Model, plan: Plan, feeds: readonly Feeds[]) {
  const own = (plan.activations ?? []).filter(({ parameters }) => parameters.kind === 'own');
  const model = make();
  const names = model.graph.outputs.map(nameOf);
  const values = new Map([...valueIds(model)].map(([value, id]) => [id, value]));
  const tapped = new Set(own.map(({ id }) => id).filter((id) => expose(model, values.get(id) as Value, id)));
  const { outputs } = await runBytes(model, feeds, 'disabled');
  const parameters = own.map(({ id, scheme }): [string, QuantizationParameters] => {
    const name = nameOf(values.get(id) as Value);
    const seen = (tapped.has(id) ? outputs : feeds).map((tensors) => tensors[name] as TensorData);
    return [id, quantizationParameters(rangeOf(seen), scheme)];
  });
  const expected = outputs.map((tensors) =>
    Object.fromEntries(names.map((name) => [name, tensors[name] as TensorData])),
  );
  return { parameters: new Map(parameters), expected };
}

function rangeOf(tensors: readonly TensorData[]): { min: number; max: number } {
  const range = { min: 0, max: 0 };
  for (const tensor of tensors) {
    for (const number of floats(tensor)) {
      range.min = Math.min(range.min, number);
      range.max = Math.max(range.max, number);
    }
  }
  return range;
}

const nameOf = (value: Value): string => value.name as string;

/** False for inputs, whose numbers are known. */
function expose(model: Model, value: Value, id: string): boolean {
  if (value.origin.kind === 'input') return false;
  if (value.isGraphOutput) return true;
  value.name ??= id.replaceAll(/\W/g, '_');
  value.type ??= tensorType('float32');
  model.graph.addOutput(value);
  return true;
}

export interface Quantized extends Outcome {
  readonly plan: Plan;
  readonly model: Model;
  /** Operators of the file, in order. */
  readonly written: readonly string[];
  readonly expected: readonly Readonly<Record<string, TensorData>>[];
  /** ‖actual - expected‖ / ‖expected‖ over all outputs and feeds. */
  readonly relativeError: number;
}

/** Text to a plan, ranges, an integer model, and what the runtime makes of it. */
export async function quantizeStatically(
  text: string | (() => Model),
  feeds: readonly Feeds[],
  options: StaticOptions & { readonly optimization?: 'disabled' | 'extended' | 'all' } = {},
): Promise<Quantized> {
  const make = typeof text === 'string' ? () => parseModel(text) : text;
  const plan = planOf(make(), options);
  const { parameters, expected } = await observe(make, plan, feeds);
  const model = make();
  realize(model, plan, { parameters });
  const problems = verify(model);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const written = operatorsOf(model);
  const outcome = await runBytes(model, feeds, options.optimization);
  return { plan, model, written, expected, ...outcome, relativeError: relativeDistance(outcome.outputs, expected) };
}

export function relativeDistance(
  actual: readonly Readonly<Record<string, TensorData>>[],
  expected: readonly Readonly<Record<string, TensorData>>[],
): number {
  let [difference, norm] = [0, 0];
  expected.forEach((outputs, sample) => {
    for (const [name, tensor] of Object.entries(outputs)) {
      const other = floats(actual[sample]?.[name] as TensorData);
      floats(tensor).forEach((value, index) => {
        difference += (value - (other[index] as number)) ** 2;
        norm += value ** 2;
      });
    }
  });
  return Math.sqrt(difference / norm);
}
