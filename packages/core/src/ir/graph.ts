import { internalError } from '../foundation/index.ts';
import { Node, type NodeFields } from './node.ts';
import type { Tensor } from './tensor.ts';
import type { ValueType } from './type.ts';
import { type Use, Value } from './value.ts';

/**
 * A list of nodes in execution order, with inputs, outputs and weights. Every edit checks everything, then changes
 * everything, then bumps `revision`.
 *
 * Iteration contract of `nodes()`: nodes inserted after the cursor are visited, nodes inserted before it are not,
 * removed nodes are skipped. A node must not be re-inserted while a cursor stands on it.
 */
export class Graph {
  name: string | undefined;
  docString: string | undefined;
  /** The node whose attribute holds this graph; `undefined` for the main graph and for function bodies. */
  owner: Node | undefined;
  readonly metadata = new Map<string, string>();
  #revision = 0;
  #first: Node | undefined;
  #last: Node | undefined;
  #size = 0;
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #outputUses: Use[] = [];
  readonly #initializers = new Set<Value>();

  constructor(name?: string) {
    this.name = name;
  }

  /** Changes with every edit of this graph, of graphs inside it and of their nodes; analyses are memoised on it. */
  get revision(): number {
    return this.#revision;
  }

  get inputs(): readonly Value[] {
    return this.#inputs;
  }

  get outputs(): readonly Value[] {
    return this.#outputs;
  }

  /** Weights in file order: values of origin `initializer`, and inputs that have a fallback. */
  get initializers(): ReadonlySet<Value> {
    return this.#initializers;
  }

  get nodeCount(): number {
    return this.#size;
  }

  get firstNode(): Node | undefined {
    return this.#first;
  }

  *nodes(): Iterable<Node> {
    for (let node = this.#first; node; node = next(node, this)) if (node.graph === this) yield node;
  }

  addInput(value: Value): Value {
    value.setOrigin({ kind: 'input', graph: this });
    this.#inputs.push(value);
    this.touch();
    return value;
  }

  /** Removes an input that nothing reads; a fallback stays as an initializer. */
  removeInput(value: Value): void {
    const index = this.#inputs.indexOf(value);
    if (index < 0) throw internalError(`"${value.name ?? ''}" is not an input of graph "${this.name ?? ''}".`);
    this.#inputs.splice(index, 1);
    const { origin } = value;
    value.detach();
    if (origin.kind === 'input' && origin.fallback) {
      value.setOrigin({ kind: 'initializer', graph: this, tensor: origin.fallback });
    }
    this.touch();
  }

  addOutput(value: Value): void {
    const use: Use = { kind: 'output', graph: this, index: this.#outputs.length };
    value.attachUse(use);
    this.#outputs.push(value);
    this.#outputUses.push(use);
    this.touch();
  }

  /**
   * Puts another value in the place of an output. Names of outputs are the user's contract, so the name moves with the
   * place; a value that has such a name of its own (an input, another output) cannot stand here: put Identity between.
   */
  setOutput(index: number, value: Value): void {
    const old = this.#outputs[index];
    const use = this.#outputUses[index];
    if (!old || !use) throw internalError(`Graph "${this.name ?? ''}" has no output ${index}.`);
    if (value === old) return;
    if (value.isGraphOutput || value.origin.kind === 'input') {
      throw internalError(
        `"${value.name ?? ''}" has a public name already and cannot become output "${old.name ?? ''}".`,
      );
    }
    old.detachUse(use);
    value.attachUse(use);
    value.name = old.name;
    value.type ??= old.type;
    if (!old.isGraphOutput) old.name = undefined;
    this.#outputs[index] = value;
    this.touch();
  }

  /** Makes a weight. With an input of this graph, its data becomes that input's fallback (ONNX IR < 4). */
  addInitializer(tensor: Tensor, name?: string, value = new Value(name)): Value {
    const isInput = value.origin.kind === 'input' && value.origin.graph === this;
    const origin = isInput
      ? ({ kind: 'input', graph: this, fallback: tensor } as const)
      : ({ kind: 'initializer', graph: this, tensor } as const);
    value.setOrigin(origin);
    value.type ??= { kind: 'tensor', elementType: tensor.elementType, shape: tensor.dims };
    this.#initializers.add(value);
    this.touch();
    return value;
  }

  /** Removes a weight that nothing reads any more; if it is also an input, that input goes too. */
  removeInitializer(value: Value): void {
    if (!this.#initializers.has(value)) throw internalError(`"${value.name ?? ''}" is not an initializer here.`);
    if (value.uses.size > 0) throw internalError(`Initializer "${value.name ?? ''}" is still read.`);
    const index = this.#inputs.indexOf(value);
    if (index >= 0) this.#inputs.splice(index, 1);
    this.#initializers.delete(value);
    value.detach();
    this.touch();
  }

  append(node: Node): Node {
    return this.#link(node, this.#last, undefined);
  }

  insertBefore(node: Node, position: Node): Node {
    this.#owns(position);
    return this.#link(node, position.previous, position);
  }

  insertAfter(node: Node, position: Node): Node {
    this.#owns(position);
    return this.#link(node, position, position.next);
  }

  /** Removes a node whose outputs nothing reads; its subgraphs go with it. */
  remove(node: Node): void {
    this.#owns(node);
    const read = node.outputs.find((value) => value && value.uses.size > 0);
    if (read) throw internalError(`Output "${read.name ?? ''}" of ${node.op} is still read.`);
    node.release();
    if (node.previous) node.previous.next = node.next;
    else this.#first = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.#last = node.previous;
    // The removed node keeps `next`, so that a cursor that stands on it finds its way.
    node.graph = undefined;
    this.#size--;
    this.touch();
  }

  /** Bumps the revision of this graph and of the graphs around it. */
  touch(): void {
    for (let graph: Graph | undefined = this; graph; graph = graph.owner?.graph) graph.#revision++;
  }

  /** @internal Lets go of everything that the graph reads, when its owner is removed. */
  release(): void {
    this.#outputs.forEach((value, index) => value.detachUse(this.#outputUses[index] as Use));
    for (const node of this.nodes()) node.release();
  }

  #owns(node: Node): void {
    if (node.graph !== this) throw internalError(`${node.op} "${node.name ?? ''}" is not in this graph.`);
  }

  #link(node: Node, previous: Node | undefined, following: Node | undefined): Node {
    if (node.graph) throw internalError(`${node.op} "${node.name ?? ''}" already is in a graph.`);
    node.graph = this;
    node.previous = previous;
    node.next = following;
    if (previous) previous.next = node;
    else this.#first = node;
    if (following) following.previous = node;
    else this.#last = node;
    this.#size++;
    this.touch();
    return node;
  }
}

/** The node after `node`, over nodes that were removed while a cursor stood on them. */
function next(node: Node, graph: Graph): Node | undefined {
  let following = node.next;
  while (following && following.graph !== graph) following = following.next;
  return following;
}

/** Makes a node with fresh outputs and puts it before `position` (or last). Returns the node. */
export function addNode(
  graph: Graph,
  op: string,
  fields: Omit<NodeFields, 'outputs'> & {
    outputs?: readonly (Value | undefined)[];
    outputTypes?: readonly (ValueType | undefined)[];
  },
  position?: Node,
): Node {
  const outputs = fields.outputs ?? (fields.outputTypes ?? [undefined]).map((type) => new Value(undefined, type));
  const node = new Node(op, { ...fields, outputs });
  return position ? graph.insertBefore(node, position) : graph.append(node);
}
