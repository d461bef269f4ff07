import type { ConstantRef } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { elementCount, type Graph, type Tensor, tensorOf, type Value } from '../ir/index.ts';
import type { TableScheme, WeightScheme } from '../plan/index.ts';
import { type QuantizedWeight, quantizedWeight, type WeightJob } from './weight-job.ts';
import type { WeightOverrides } from './weight-override.ts';
import { type BiasUse, formOf, isTransposed, keyOf, type WeightUse } from './weight-use.ts';

/** Integers in a graph, and what they stand for. */
export interface StoredIntegers {
  readonly quantized: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/** The values that stand for one quantized weight in a graph. */
export interface StoredWeight extends StoredIntegers {
  /** In the order in which they were announced. */
  readonly biases: readonly StoredIntegers[];
  /** True when `quantized` is the table [N, K] of a tied embedding and must be transposed for a product. */
  readonly isTable: boolean;
}

/** Makes each quantized weight once for all its readers, in the graph in which the float one lives. */
export class WeightStore {
  readonly #made = new Map<Tensor, Map<string, StoredWeight>>();
  readonly #announced = new Map<Tensor, Map<string, BiasUse[]>>();
  readonly #tied = new Map<Tensor, WeightScheme['range']>();
  readonly #pairAware: WeightJob[] = [];
  readonly #overrides: WeightOverrides;

  /** @param overrides integers that are stored in place of rounded ones */
  constructor(overrides: WeightOverrides = new Map()) {
    this.#overrides = overrides;
  }

  /** Notes that a row table is also the transposed weight of a product with this range. */
  tie(tensor: Tensor, range: WeightScheme['range']): void {
    if (this.#tied.get(tensor) !== 'pair-aware') this.#tied.set(tensor, range);
  }

  /**
   * Notes that products of the weight, used like this, get a bias. Before the weight is asked for.
   * @returns which of the biases of the stored weight it is
   */
  announce(weight: ConstantRef, use: WeightUse, bias: BiasUse): number {
    const ofTensor = entryOf(this.#announced, weight.tensor, () => new Map<string, BiasUse[]>());
    const biases = entryOf<string, BiasUse[]>(ofTensor, keyOf(weight, use), () => []);
    const known = biases.findIndex((other) => isSameBias(other, bias));
    return known >= 0 ? known : biases.push(bias) - 1;
  }

  /** The weight as its reader wants it, with the biases that were announced for it. */
  weight(weight: ConstantRef, use: Exclude<WeightUse, { kind: 'table' }>): StoredWeight {
    return this.#once(weight, use, this.#announced.get(weight.tensor)?.get(keyOf(weight, use)) ?? []);
  }

  /** The table that stands for a matrix too, where the two are tied. */
  tiedTable(
    weight: ConstantRef,
    { flip, alpha, scheme }: Extract<WeightUse, { kind: 'matrix' }>,
  ): StoredWeight | undefined {
    const isTable = isTransposed(weight, flip) && alpha === 1 && this.#tied.has(weight.tensor);
    if (!isTable || scheme.granularity !== 'channel') return undefined;
    return this.table(weight, { elementType: 'int8', granularity: 'row' });
  }

  /** An embedding table [V, H]. */
  table(weight: ConstantRef, scheme: TableScheme): StoredWeight {
    const range = scheme.granularity === 'row' ? (this.#tied.get(weight.tensor) ?? 'full') : 'full';
    return this.#once(weight, { kind: 'table', scheme, range }, []);
  }

  scaleFactor(): number | undefined {
    const factors = this.#pairAware.flatMap((job) => (job.facts ? [job.facts.scaleFactor] : []));
    return factors.length > 0 ? factors.reduce((sum, factor) => sum + factor, 0) / factors.length : undefined;
  }

  #once(weight: ConstantRef, use: WeightUse, biases: readonly BiasUse[]): StoredWeight {
    return entryOf(
      entryOf(this.#made, weight.tensor, () => new Map()),
      keyOf(weight, use),
      () => {
        const { spec, dims, scaleDims } = formOf(weight, use, biases);
        const { root, tensor } = weight;
        const isProduct = use.kind === 'matrix' || use.kind === 'filters';
        const rounded = isProduct ? this.#overrides.get(tensor) : undefined;
        const made = quantizedWeight({ tensor, spec: { ...spec, name: root.name ?? '' }, dims, scaleDims, rounded });
        if (spec.range === 'pair-aware') this.#pairAware.push(made.job);
        return { ...storeIn(graphOf(root), root.name, made, biases), isTable: use.kind === 'table' };
      },
    );
  }
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

const isSameBias = (a: BiasUse, b: BiasUse): boolean =>
  a.tensor === b.tensor &&
  a.activationScale === b.activationScale &&
  a.values.every((value, index) => value === b.values[index]);

function storeIn(
  graph: Graph,
  base: string | undefined,
  { quantized, scale, zeroPoint, biases }: QuantizedWeight,
  uses: readonly BiasUse[],
): Omit<StoredWeight, 'isTable'> {
  const add = (tensor: Tensor, name: string | undefined, suffix: string): Value =>
    graph.addInitializer(tensor, name && `${name}_${suffix}`);
  return {
    quantized: add(quantized, base, 'quantized'),
    scale: add(scale, base, 'scale'),
    zeroPoint: add(zeroPoint, base, 'zero_point'),
    biases: biases.map((bias, index) => ({
      quantized: add(bias.values, uses[index]?.name, 'quantized'),
      scale: add(bias.scale, uses[index]?.name, 'quantized_scale'),
      zeroPoint: add(zeros(bias.scale.dims), uses[index]?.name, 'quantized_zero_point'),
    })),
  };
}

const zeros = (dims: readonly number[]): Tensor => tensorOf('int32', dims, new Int32Array(elementCount(dims)));

function graphOf(root: Value): Graph {
  const { origin } = root;
  if (origin.kind === 'initializer' || origin.kind === 'input') return origin.graph;
  const graph = origin.kind === 'output' ? origin.node.graph : undefined;
  if (!graph) throw internalError(`Weight "${root.name ?? ''}" is in no graph.`);
  return graph;
}
