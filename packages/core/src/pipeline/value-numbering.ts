import { storedTensor } from '../analysis/index.ts';
import { type Attribute, type Graph, type Model, type Node, type Tensor, type Value, walkGraphs } from '../ir/index.ts';

/** Stored data up to this size counts as the same when its bytes are: the runtime shares small constants. */
const smallByteLength = 64;

/**
 * How many of these nodes are left to run once a runtime has computed what depends on no input (projections of a table
 * of relative positions, say) and computes the same thing only once (by value numbering: exporters repeat such
 * projections).
 */
export function countDistinct(model: Model, nodes: ReadonlySet<Node>): number {
  const numbering = new Numbering();
  const distinct = new Set<number>();
  let count = 0;
  for (const graph of walkGraphs(model)) {
    const varying = varyingValues(graph);
    for (const node of graph.nodes()) {
      const [first] = node.outputs;
      if (!nodes.has(node) || !first || !varying.has(first)) continue;
      if (graph === model.graph) distinct.add(numbering.of(first));
      else count++;
    }
  }
  return distinct.size + count;
}

/** Values of a graph that change from run to run: those that depend on an input, on chance, or on an outer value. */
function varyingValues(graph: Graph): Set<Value> {
  const varying = new Set<Value>(graph.inputs);
  const isVarying = (value: Value): boolean => varying.has(value) || isOuter(value, graph);
  for (const node of graph.nodes()) {
    const isFixed =
      node.subgraphs.length === 0 && !isRandom(node) && !node.inputs.some((value) => value && isVarying(value));
    if (isFixed) continue;
    for (const value of node.outputs) if (value) varying.add(value);
  }
  return varying;
}

/** Made or fed outside the graph; stored data is not. */
const isOuter = ({ origin }: Value, graph: Graph): boolean =>
  (origin.kind === 'output' && origin.node.graph !== graph) || (origin.kind === 'input' && origin.graph !== graph);

const isRandom = (node: Node): boolean => /^Random|^Multinomial|^Bernoulli/.test(node.op);

/** Numbers values so that two with the same number are computed alike from the same inputs. */
class Numbering {
  readonly #numbers = new Map<Value, number>();
  readonly #byKey = new Map<string, number>();
  #next = 0;

  of(value: Value): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const graph = value.producer?.graph;
    if (graph) this.#visit(graph);
    return this.#numbers.get(value) ?? this.#assign(value, leafKey(value));
  }

  /** In graph order, so that inputs are numbered before their readers and no chain is followed recursively. */
  #visit(graph: Graph): void {
    for (const node of graph.nodes()) {
      const key = nodeKey(node, (value) => this.#numbers.get(value) ?? this.#assign(value, leafKey(value)));
      node.outputs.forEach((value, index) => {
        if (value && !this.#numbers.has(value)) this.#assign(value, key && `${key}#${index}`);
      });
    }
  }

  #assign(value: Value, key: string | undefined): number {
    const number = (key === undefined ? undefined : this.#byKey.get(key)) ?? this.#next++;
    this.#numbers.set(value, number);
    if (key !== undefined) this.#byKey.set(key, number);
    return number;
  }
}

/** What computes a node, or `undefined` for one that is never the same as another. */
function nodeKey(node: Node, numberOf: (value: Value) => number): string | undefined {
  if (node.is('Constant')) return node.outputs[0] ? leafKey(node.outputs[0]) : undefined;
  if (node.subgraphs.length > 0 || isRandom(node)) return undefined;
  const attributes = [...node.attributes].map(([name, attribute]) => [name, attributeKey(attribute)] as const);
  if (attributes.some(([, key]) => key === undefined)) return undefined;
  const inputs = node.inputs.map((value) => (value ? numberOf(value) : -1));
  const sorted = attributes.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([node.domain, node.op, sorted, inputs]);
}

function attributeKey(attribute: Attribute): string | undefined {
  if (attribute.type === 'tensor') return dataKey(attribute.value);
  if (attribute.type === 'ints' || attribute.type === 'floats')
    return `${attribute.type} ${attribute.value.map(String).join()}`;
  const isPlain = attribute.type === 'int' || attribute.type === 'float';
  return isPlain || attribute.type === 'string' ? `${attribute.type} ${String(attribute.value)}` : undefined;
}

/** Small stored data by its bytes; anything else is itself only. */
function leafKey(value: Value): string | undefined {
  const tensor = storedTensor(value);
  return tensor && dataKey(tensor);
}

function dataKey(tensor: Tensor): string | undefined {
  if (tensor.elementType === 'string' || tensor.byteLength > smallByteLength) return undefined;
  return `${tensor.elementType} [${tensor.dims.join()}] ${tensor.bytes().join()}`;
}
