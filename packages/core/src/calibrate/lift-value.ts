import {
  addNode,
  type ElementType,
  type Graph,
  graphsOf,
  Node,
  tensorAttribute,
  tensorOf,
  tensorType,
  Value,
} from '../ir/index.ts';

/** Values that were put in the place of others, because their node had to be made anew. */
export class Replacements {
  readonly #places = new Map<Value, Value>();

  add(old: Value, fresh: Value): void {
    this.#places.set(old, fresh);
  }

  /** The value that stands for this one now. */
  current(value: Value): Value {
    let found = value;
    for (let next = this.#places.get(found); next; next = this.#places.get(found)) found = next;
    return found;
  }
}

/** The graph that a value is defined in. */
export function graphOf({ origin }: Value): Graph | undefined {
  if (origin.kind === 'detached') return undefined;
  return origin.kind === 'output' ? origin.node.graph : origin.graph;
}

/** Why a value inside subgraphs cannot be handed out of them, or `undefined` when it can. */
export function whyNotLiftable(value: Value, main: Graph): string | undefined {
  for (let graph = graphOf(value); graph !== main; graph = graph?.owner?.graph) {
    const owner = graph?.owner;
    if (!owner) return 'it is inside a model-local function, which may be called from several places';
    if (!owner.is('If')) return `it is inside the body of ${owner.op} "${owner.name ?? ''}", where it has many values`;
  }
  return undefined;
}

/**
 * Hands a value of an If branch out to the main graph: one more output of the If, empty when the other branch is taken.
 * @returns the value in the main graph
 */
export function liftValue(value: Value, elementType: ElementType, main: Graph, replacements: Replacements): Value {
  let lifted = value;
  for (let graph = graphOf(lifted); graph && graph !== main; graph = graphOf(lifted)) {
    const owner = graph.owner as Node;
    for (const attribute of owner.attributes.values())
      for (const branch of graphsOf(attribute))
        branch.addOutput(branch === graph ? readable(branch, lifted) : emptyIn(branch, elementType));
    const output = new Value(undefined, tensorType(elementType));
    withOutput(owner, output, replacements);
    lifted = output;
  }
  return lifted;
}

/** One name cannot be two outputs of a graph. */
function readable(branch: Graph, value: Value): Value {
  if (!value.isPublic) return value;
  const outputTypes = [value.type];
  return addNode(branch, 'Identity', { inputs: [value], outputTypes }).outputs[0] as Value;
}

function emptyIn(branch: Graph, elementType: ElementType): Value {
  const attributes = { value: tensorAttribute(tensorOf(elementType, [0], new Uint8Array())) };
  const outputTypes = [tensorType(elementType, [0])];
  return addNode(branch, 'Constant', { inputs: [], attributes, outputTypes }).outputs[0] as Value;
}

/** Puts a node with one more output in the place of another. */
function withOutput(node: Node, output: Value, replacements: Replacements): void {
  const graph = node.graph as Graph;
  const following = node.next;
  const outputs = node.outputs.map((old) => old && takeOver(old, replacements));
  const { op, domain, name, inputs, attributes, docString, metadata } = node;
  graph.remove(node);
  const fields = { domain, name, inputs, attributes, docString, metadata, outputs: [...outputs, output] };
  const made = new Node(op, fields);
  if (following) graph.insertBefore(made, following);
  else graph.append(made);
}

/** A fresh value with the readers, the name and the type of another. */
function takeOver(old: Value, replacements: Replacements): Value {
  const fresh = new Value(undefined, old.type);
  old.replaceAllUsesWith(fresh);
  if (!fresh.name) [fresh.name, old.name] = [old.name, undefined];
  replacements.add(old, fresh);
  return fresh;
}
