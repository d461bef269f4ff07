import type { TensorData } from '../backend/index.ts';
import { addNode, Graph, graphAttribute, int64Tensor, intAttribute, Model, tensorType, Value } from '../ir/index.ts';
import { Branch, type Variant } from './measure-operators-branch.ts';

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
}

/**
 * Puts variants into one model, so that one process and one load serve all: a binary tree of If, whose leaves are the
 * variants. The runtime optimizes branches as it does main graphs. A run costs one If for each level, whichever variant
 * it takes, and hands out a single number.
 */
export function variantTree(variants: readonly Variant[]): VariantTree {
  const graph = new Graph('variants');
  const levels = Math.ceil(Math.log2(Math.max(2, variants.length)));
  const names = Array.from({ length: levels }, (_, level) => `choice${level}`);
  const sources: Sources = {
    float32: graph.addInput(new Value('float32', tensorType('float32', []))),
    uint8: graph.addInput(new Value('uint8', tensorType('uint8', []))),
    choices: names.map((name) => graph.addInput(new Value(name, tensorType('bool', [])))),
  };
  expose(graph, choose(graph, variants, 0, sources));
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  return { model, feedsOf: (variant) => feedsOf(variants.indexOf(variant), variants.length, names) };
}

/** The variants from the half on are where the choice holds. */
const halfOf = (count: number): number => Math.ceil(count / 2);

/** An If over the variants, or the only one. */
function choose(graph: Graph, variants: readonly Variant[], level: number, sources: Sources): Value {
  const [only, ...others] = variants;
  if (only && others.length === 0) return probe(graph, only, sources);
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
function probe(graph: Graph, { input, rank, build }: Variant, sources: Sources): Value {
  const branch = new Branch(graph);
  const shape = branch.constant(int64Tensor([input.dims.length], input.dims));
  const tensor = branch.add('Expand', [sources[input.elementType], shape]);
  const firstElement = branch.constant(int64Tensor([1, rank], new Array<number>(rank).fill(0)));
  const first = branch.add('GatherND', [build(branch, tensor), firstElement]);
  return branch.add('Cast', [first], { to: intAttribute(1) });
}

const scalar = (elementType: 'float32' | 'uint8' | 'bool', bytes: Uint8Array): TensorData => ({
  elementType,
  dims: [],
  bytes,
});

function feedsOf(ordinal: number, total: number, choices: readonly string[]): Record<string, TensorData> {
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
