import type { ConstantRef } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { elementCount, type Graph, type Tensor, type Value } from '../ir/index.ts';
import type { TableScheme, WeightScheme } from '../plan/index.ts';
import { type QuantizedWeight, quantizedWeight, type WeightJob } from './weight-job.ts';

/** The values that stand for one quantized weight in a graph. */
export interface StoredWeight {
  readonly quantized: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
  /** True when `quantized` is the table [N, K] of a tied embedding and must be transposed for a product. */
  readonly isTable: boolean;
}

/** Makes each quantized weight once for all its readers, in the graph in which the float one lives. */
export class WeightStore {
  readonly #made = new Map<Tensor, Map<string, StoredWeight>>();
  readonly #tied = new Map<Tensor, WeightScheme['range']>();
  readonly #pairAware: WeightJob[] = [];
  /** Python's tool gives every weight scalar parameters named after it; ours only shares them. */
  readonly isCompatible: boolean;

  constructor(isCompatible: boolean) {
    this.isCompatible = isCompatible;
  }

  /** Notes that a row table is also the transposed weight of a product with this range. */
  tie(tensor: Tensor, range: WeightScheme['range']): void {
    if (this.#tied.get(tensor) !== 'pair-aware') this.#tied.set(tensor, range);
  }

  isTied(tensor: Tensor): boolean {
    return this.#tied.has(tensor);
  }

  /** The weight of a product that reads `weight`, as [K, N] (or as its table where it is tied). */
  matrix(weight: ConstantRef, flip: boolean, scheme: WeightScheme, alpha: number): StoredWeight {
    // `transposed`: the stored matrix is [N, K].
    const transposed = weight.transposed !== flip;
    if (transposed && alpha === 1 && this.isTied(weight.tensor) && scheme.granularity === 'channel')
      return this.table(weight, { elementType: 'int8', granularity: 'row' });
    const [rows, columns] = storedDims(weight);
    const [k, n] = transposed ? [columns, rows] : [rows, columns];
    const key = `${transposed} ${scheme.elementType} ${scheme.granularity} ${scheme.range} ${alpha}`;
    return this.#once(weight, key, false, () => {
      const isTensor = scheme.granularity === 'tensor';
      const sameGrid = scheme.elementType === 'uint8' && !this.isCompatible;
      const made = quantizedWeight(
        weight.tensor,
        {
          name: weight.root.name ?? '',
          rows,
          columns,
          transposed,
          elementType8: scheme.elementType,
          range: scheme.range,
          sameGrid,
          alpha,
          scales: isTensor ? 'tensor' : transposed ? 'rows' : 'columns',
        },
        [k, n],
        isTensor ? [] : [n],
      );
      if (scheme.range === 'pair-aware') this.#pairAware.push(made.job);
      return made;
    });
  }

  /** The filters of a convolution, with one scale. */
  filters(weight: ConstantRef, scheme: WeightScheme): StoredWeight {
    const { dims } = weight;
    return this.#once(weight, `filters ${scheme.elementType} ${scheme.range}`, false, () =>
      quantizedWeight(
        weight.tensor,
        {
          name: weight.root.name ?? '',
          rows: dims[0] as number,
          columns: elementCount(dims) / (dims[0] as number),
          transposed: false,
          elementType8: scheme.elementType,
          range: scheme.range,
          sameGrid: false,
          alpha: 1,
          scales: 'tensor',
        },
        dims,
        [],
      ),
    );
  }

  /** An embedding table [V, H]; scales are [V, 1] by row. With one scale for all a table may have any rank. */
  table(weight: ConstantRef, scheme: TableScheme): StoredWeight {
    const isMatrix = weight.dims.length === 2;
    const [rows, columns] = isMatrix ? storedDims(weight) : [1, elementCount(weight.dims)];
    const dims = isMatrix ? [rows, columns] : weight.dims;
    const range = scheme.granularity === 'row' ? (this.#tied.get(weight.tensor) ?? 'full') : 'full';
    return this.#once(weight, `table ${scheme.elementType} ${scheme.granularity}`, true, () => {
      const isRow = scheme.granularity === 'row';
      const made = quantizedWeight(
        weight.tensor,
        {
          name: weight.root.name ?? '',
          rows,
          columns,
          transposed: false,
          elementType8: scheme.elementType,
          range,
          sameGrid: false,
          alpha: 1,
          scales: isRow ? 'rows' : 'tensor',
        },
        dims,
        isRow ? [rows, 1] : [],
      );
      if (range === 'pair-aware') this.#pairAware.push(made.job);
      return made;
    });
  }

  scaleFactor(): number | undefined {
    const factors = this.#pairAware.flatMap((job) => (job.facts ? [job.facts.scaleFactor] : []));
    return factors.length > 0 ? factors.reduce((sum, factor) => sum + factor, 0) / factors.length : undefined;
  }

  #once(weight: ConstantRef, key: string, isTable: boolean, make: () => QuantizedWeight): StoredWeight {
    const known = this.#made.get(weight.tensor) ?? new Map<string, StoredWeight>();
    this.#made.set(weight.tensor, known);
    const before = known.get(key);
    if (before) return before;
    const made = make();
    const graph = graphOf(weight.root);
    const base = weight.root.name;
    const add = (tensor: Tensor, suffix: string): Value => graph.addInitializer(tensor, base && `${base}_${suffix}`);
    const stored: StoredWeight = {
      quantized: add(made.quantized, 'quantized'),
      scale: add(made.scale, 'scale'),
      zeroPoint: add(made.zeroPoint, 'zero_point'),
      isTable,
    };
    known.set(key, stored);
    return stored;
  }
}

/** Dims of the stored matrix, before a transposition on the way to the reader. */
function storedDims({ dims, transposed }: ConstantRef): readonly [number, number] {
  const [a = 0, b = 0] = dims;
  return transposed ? [b, a] : [a, b];
}

function graphOf(root: Value): Graph {
  const { origin } = root;
  if (origin.kind === 'initializer' || origin.kind === 'input') return origin.graph;
  const graph = origin.kind === 'output' ? origin.node.graph : undefined;
  if (!graph) throw internalError(`Weight "${root.name ?? ''}" is in no graph.`);
  return graph;
}
