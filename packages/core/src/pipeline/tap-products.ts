import { addNode, type Graph, graphAttribute, type Node, tensorType, Value } from '../ir/index.ts';
import { CheckBuilder } from './check-builder.ts';
import { type Deviation, deviationOf } from './exact-kernels.ts';
import { isProductKind, kindOfKernel } from './integer-units.ts';

/** One product under check, with the float64 scalars of its graph that tell about it. */
export interface TappedProduct {
  readonly name: string;
  /** How many outputs are wrong, by how much at most, and how many there are. */
  readonly scalars: readonly [wrong: Value, largest: Value, outputs: Value];
}

export interface TappedGraph {
  readonly products: readonly TappedProduct[];
  /** Products that cannot be computed again, and those in bodies of Loop and Scan, out of which no scalar leads. */
  readonly notTapped: number;
}

/**
 * Computes every integer product of a graph again in exact arithmetic, those in branches of If included: their scalars
 * come out as further outputs of the If, zero where the other branch ran. Changes the graph.
 */
export function tapProducts(graph: Graph): TappedGraph {
  const products: TappedProduct[] = [];
  let notTapped = 0;
  const build = new CheckBuilder(graph);
  for (const node of [...graph.nodes()]) {
    const deviation = isProduct(node) ? deviationOf(build, node) : undefined;
    const branches = node.is('If') ? tapBranches(node, graph) : undefined;
    if (deviation) products.push({ name: labelOf(node), scalars: scalarsOf(build, deviation) });
    if (branches) products.push(...branches.products);
    notTapped += branches ? branches.notTapped : (isProduct(node) && !deviation ? 1 : 0) + countNested(node);
  }
  return { products, notTapped };
}

function isProduct({ op }: Node): boolean {
  const kind = kindOfKernel(op);
  return kind !== undefined && isProductKind(kind);
}

const labelOf = (node: Node): string => node.name || node.outputs[0]?.name || node.op;

function countNested(node: Node): number {
  let count = 0;
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes()) count += (isProduct(inner) ? 1 : 0) + countNested(inner);
  }
  return count;
}

function scalarsOf(build: CheckBuilder, { deviation, allowed }: Deviation): TappedProduct['scalars'] {
  const isWrong = build.isNotBelow(deviation, allowed);
  return [
    build.reduced('ReduceSum', isWrong),
    build.reduced('ReduceMax', build.product(deviation, isWrong)),
    build.toFloat64(build.add('Size', [deviation])),
  ];
}

/** Taps both branches, and puts an If that hands their scalars out in place of the one that does not. */
function tapBranches(node: Node, graph: Graph): TappedGraph {
  const branches = [...node.attributes].flatMap(([name, attribute]) =>
    attribute.type === 'graph' ? [{ name, graph: attribute.value, ...tapProducts(attribute.value) }] : [],
  );
  const notTapped = branches.reduce((sum, branch) => sum + branch.notTapped, 0);
  if (branches.every(({ products }) => products.length === 0)) return { products: [], notTapped };
  for (const branch of branches) {
    const build = new CheckBuilder(branch.graph);
    for (const { products } of branches)
      for (const value of products.flatMap(({ scalars }) => scalars))
        exposeScalar(branch.graph, products === branch.products ? value : build.add('Identity', [build.constant(0)]));
  }
  for (const { name } of branches) node.setAttribute(name, undefined);
  const kept = node.outputs.map((value) => value && new Value(undefined, value.type));
  const products = branches.flatMap((branch) => branch.products);
  const outer = products.map(({ name }) => ({ name, scalars: [scalar(), scalar(), scalar()] as const }));
  const attributes = Object.fromEntries(branches.map((branch) => [branch.name, graphAttribute(branch.graph)]));
  const outputs = [...kept, ...outer.flatMap(({ scalars }) => scalars)];
  addNode(graph, node.op, { name: node.name, inputs: node.inputs, attributes, outputs }, node);
  node.outputs.forEach((value, index) => value && takePlace(value, kept[index] as Value));
  graph.remove(node);
  return { products: outer, notTapped };
}

const scalar = (): Value => new Value(undefined, tensorType('float64', []));

function exposeScalar(graph: Graph, value: Value): void {
  value.type = tensorType('float64', []);
  graph.addOutput(value);
}

/** Readers and the name go over to another value. */
function takePlace(old: Value, value: Value): void {
  old.replaceAllUsesWith(value);
  if (old.name !== undefined && !value.name) [value.name, old.name] = [old.name, undefined];
}
