import { internalError } from '../foundation/index.ts';
import type { Node } from './node.ts';
import type { Tensor } from './tensor.ts';
import { type Use, Value } from './value.ts';

/**
 * A list of nodes in execution order, with inputs, outputs and weights. Every edit checks everything, then changes
 * everything, then bumps `revision`.
 *
 * Iteration contract of `nodes()`: nodes inserted after the cursor are visited, nodes inserted before it are not,
 * removed nodes are skipped. A node must not be re-inserted while a cursor stands on it.
 *
 * A graph that went, with its node or its attribute, lets go of everything that it reads and cannot be edited until a
 * node that stands in a graph has it again.
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
  /** True when the graph went, with its node or its attribute. */
  #isReleased = false;

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
    this.checkEditable();
    if (value.origin.kind !== 'detached') throw internalError(`"${value.name ?? ''}" already comes from elsewhere.`);
    value.setOrigin({ kind: 'input', graph: this });
    this.#inputs.push(value);
    this.touch();
    return value;
  }

  /** Removes an input. What its readers get must stay: one with a fallback becomes an initializer, others are unread. */
  removeInput(value: Value): void {
    this.checkEditable();
    const index = this.#inputs.indexOf(value);
    if (index < 0) throw internalError(`"${value.name ?? ''}" is not an input of graph "${this.name ?? ''}".`);
    const tensor = value.origin.kind === 'input' ? value.origin.fallback : undefined;
    if (!tensor && value.uses.size > 0) throw internalError(`Input "${value.name ?? ''}" is still read.`);
    this.#inputs.splice(index, 1);
    if (tensor) value.setOrigin({ kind: 'initializer', graph: this, tensor });
    else value.detach();
    this.touch();
  }

  addOutput(value: Value): void {
    this.checkEditable();
    const use: Use = { kind: 'output', graph: this, index: this.#outputs.length };
    value.attachUse(use);
    this.#outputs.push(value);
    this.#outputUses.push(use);
    this.touch();
  }

  /**
   * Puts another value in the place of an output. Names of outputs are the user's contract, so the name moves with the
   * place, and as one name stands for one value, other outputs that are the same value move along. A value that has
   * such a name of its own (an input, another output) cannot stand here, and an output that is an input of the graph
   * cannot be replaced: put Identity between.
   */
  setOutput(index: number, value: Value): void {
    this.checkEditable();
    const old = this.#outputs[index];
    if (!old) throw internalError(`Graph "${this.name ?? ''}" has no output ${index}.`);
    if (value === old) return;
    this.checkOutput(old, value);
    for (const [place, use] of this.#outputUses.entries()) {
      if (this.#outputs[place] !== old) continue;
      old.detachUse(use);
      value.attachUse(use);
      this.#outputs[place] = value;
    }
    value.name = old.name;
    value.type ??= old.type;
    if (!old.isPublic) old.name = undefined;
    this.touch();
  }

  /** @internal Throws when `value` cannot stand in the place of the output `old`. */
  checkOutput(old: Value, value: Value): void {
    if (old.origin.kind === 'input' && old.origin.graph === this)
      throw internalError(`Output "${old.name ?? ''}" is an input too, and two values cannot share a public name.`);
    if (value.isPublic && value.name !== old.name)
      throw internalError(`"${value.name ?? ''}" has a public name already and cannot be output "${old.name ?? ''}".`);
  }

  /** Makes a weight. With an input of this graph, its data becomes that input's fallback (ONNX IR < 4). */
  addInitializer(tensor: Tensor, name?: string, value = new Value(name)): Value {
    this.checkEditable();
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
    this.checkEditable();
    if (!this.#initializers.has(value)) throw internalError(`"${value.name ?? ''}" is not an initializer here.`);
    if (value.uses.size > 0) throw internalError(`Initializer "${value.name ?? ''}" is still read.`);
    if (value.origin.kind === 'input') this.#inputs.splice(this.#inputs.indexOf(value), 1);
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

  /** Removes a node whose outputs nothing reads; its subgraphs go with it. Both can be put into a graph again. */
  remove(node: Node): void {
    this.checkEditable();
    this.#owns(node);
    const read = node.outputs.find((value) => value && value.uses.size > 0);
    if (read) throw internalError(`Output "${read.name ?? ''}" of ${node.op} is still read.`);
    node.leave();
    if (node.previous) node.previous.next = node.next;
    else this.#first = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.#last = node.previous;
    // The removed node keeps `next`, so that a cursor that stands on it finds its way.
    this.#size--;
    this.touch();
  }

  /** Bumps the revision of this graph and of the graphs around it. */
  touch(): void {
    for (let graph: Graph | undefined = this; graph; graph = graph.owner?.graph) graph.#revision++;
  }

  /** True when this graph is `outer` or sits in it, at any depth. */
  isInside(outer: Graph): boolean {
    for (let graph: Graph | undefined = this; graph; graph = graph.owner?.graph) if (graph === outer) return true;
    return false;
  }

  /** @internal What a graph reads while it is nowhere would look like a use, so it stays as it went. */
  checkEditable(): void {
    if (this.#isReleased) throw internalError(`Graph "${this.name ?? ''}" went with its node and cannot be edited.`);
  }

  /** @internal The node that has the graph from here on; without one, the graph lets go of everything that it reads. */
  giveTo(owner: Node | undefined): void {
    this.owner = owner;
    if (this.#isReleased !== !owner) this.#setReleased(!owner);
  }

  #setReleased(isReleased: boolean): void {
    this.#isReleased = isReleased;
    for (const [index, value] of this.#outputs.entries()) {
      const use = this.#outputUses[index] as Use;
      if (isReleased) value.detachUse(use);
      else value.attachUse(use);
    }
    for (const node of this.nodes()) {
      if (isReleased) node.detachInputs();
      else node.attachInputs();
      for (const inner of node.subgraphs) inner.#setReleased(isReleased);
    }
  }

  #owns(node: Node): void {
    if (node.graph !== this) throw internalError(`${node.op} "${node.name ?? ''}" is not in this graph.`);
  }

  #link(node: Node, previous: Node | undefined, following: Node | undefined): Node {
    this.checkEditable();
    node.checkEntry(this);
    node.enter(this);
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
