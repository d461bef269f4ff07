import type { TensorData } from '../../backend/index.ts';
import {
  addNode,
  Graph,
  graphAttribute,
  int64Tensor,
  intAttribute,
  Model,
  tensorType,
  Value,
  walkNodes,
} from '../../ir/index.ts';
import { type Variant, VariantBuilder } from './variant.ts';

/** A model that runs one of many variants, as its inputs say. */
export interface VariantTree {
  readonly model: Model;
  /** What makes the model run a variant. */
  readonly feedsOf: (variant: Variant) => Record<string, TensorData>;
}

/** The inputs that all branches read. */
interface Sources {
  readonly float32: Value;
  readonly uint8: Value;
  readonly choices: readonly Value[];
  /** Shapes that are fed, by rank. */
  readonly shapes: ReadonlyMap<number, Value>;
}

export const branchOf = ({ branch, key }: Variant): string => branch ?? key;

const rankOf = ({ input }: Variant): number => input.dims.length;

/**
 * Puts variants into one model, so that one process and one load serve all: a binary tree of If, whose leaves are the
 * variants. The runtime optimizes branches as it does main graphs. A run costs one If for each level, whichever variant
 * it takes, and hands out a single number.
 */
export function variantTree(variants: readonly Variant[]): VariantTree {
  const leaves = [...new Map(variants.map((variant) => [branchOf(variant), variant])).values()];
  const graph = new Graph('variants');
  const levels = Math.ceil(Math.log2(Math.max(2, leaves.length)));
  const names = Array.from({ length: levels }, (_, level) => `choice${level}`);
  const ranks = [...new Set(leaves.filter(({ branch }) => branch !== undefined).map(rankOf))];
  const sources: Sources = {
    float32: graph.addInput(new Value('float32', tensorType('float32', []))),
    uint8: graph.addInput(new Value('uint8', tensorType('uint8', []))),
    choices: names.map((name) => graph.addInput(new Value(name, tensorType('bool', [])))),
    shapes: new Map(
      ranks.map((rank) => [rank, graph.addInput(new Value(shapeName(rank), tensorType('int64', [rank])))]),
    ),
  };
  expose(graph, choose(graph, leaves, 0, sources));
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  for (const { domain } of walkNodes(graph)) if (domain !== '') model.requireOpset(domain, 1);
  const ordinals = new Map(leaves.map((leaf, ordinal) => [branchOf(leaf), ordinal]));
  return {
    model,
    feedsOf: (variant) => ({
      ...choiceFeeds(ordinals.get(branchOf(variant)) ?? 0, leaves.length, names),
      ...shapeFeeds(variant, ranks),
    }),
  };
}

const shapeName = (rank: number): string => `shape${rank}`;

/** The variants from the half on are where the choice holds. */
const halfOf = (count: number): number => Math.ceil(count / 2);

/** An If over the variants, or the only one. */
function choose(graph: Graph, variants: readonly Variant[], level: number, sources: Sources): Value {
  const [only, ...others] = variants;
  if (only && others.length === 0) return runOne(graph, only, sources);
  const half = halfOf(variants.length);
  const side = (part: readonly Variant[]): Graph => {
    const inner = new Graph('branch');
    expose(inner, choose(inner, part, level + 1, sources));
    return inner;
  };
  const attributes = {
    then_branch: graphAttribute(side(variants.slice(half))),
    else_branch: graphAttribute(side(variants.slice(0, half))),
  };
  return addNode(graph, 'If', { inputs: [sources.choices[level]], attributes }).outputs[0] as Value;
}

function expose(graph: Graph, value: Value): void {
  value.type = tensorType('float32', [1]);
  graph.addOutput(value);
}

/** Makes the tensor, runs the variant on it, and takes the first number of what comes out. */
function runOne(graph: Graph, variant: Variant, sources: Sources): Value {
  const { input, rank, branch, build } = variant;
  const builder = new VariantBuilder(graph);
  const fed = branch === undefined ? undefined : sources.shapes.get(rankOf(variant));
  const tensor = builder.add('Expand', [sources[input.elementType], fed ?? builder.shape(input.dims)]);
  const firstElement = builder.constant(int64Tensor([1, rank], new Array<number>(rank).fill(0)));
  const first = builder.add('GatherND', [build(builder, tensor), firstElement]);
  return builder.add('Cast', [first], { to: intAttribute(1) });
}

const scalar = (elementType: 'float32' | 'uint8' | 'bool', bytes: Uint8Array): TensorData => ({
  elementType,
  dims: [],
  bytes,
});

function choiceFeeds(ordinal: number, total: number, choices: readonly string[]): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {
    float32: scalar('float32', new Uint8Array(Float32Array.of(0.5).buffer)),
    uint8: scalar('uint8', Uint8Array.of(130)),
  };
  let [index, count] = [ordinal, total];
  for (const name of choices) {
    const half = halfOf(count);
    const isBehind = count > 1 && index >= half;
    feeds[name] = scalar('bool', Uint8Array.of(isBehind ? 1 : 0));
    [index, count] = isBehind ? [index - half, count - half] : [index, half];
  }
  return feeds;
}

/** All inputs are fed, those of other ranks too. */
const shapeFeeds = ({ input }: Variant, ranks: readonly number[]): Record<string, TensorData> =>
  Object.fromEntries(
    ranks.map((rank) => {
      const dims = rank === input.dims.length ? input.dims : new Array<number>(rank).fill(1);
      const bytes = new Uint8Array(BigInt64Array.from(dims, BigInt).buffer);
      return [shapeName(rank), { elementType: 'int64', dims: [rank], bytes }];
    }),
  );
