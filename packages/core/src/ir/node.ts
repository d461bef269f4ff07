import { internalError, type OptimumError } from '../foundation/index.ts';
import { type Attribute, graphsOf } from './attribute.ts';
import type { Graph } from './graph.ts';
import type { Use, Value } from './value.ts';

export interface NodeFields {
  readonly domain?: string;
  readonly overload?: string;
  readonly name?: string | undefined;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  readonly attributes?: ReadonlyMap<string, Attribute> | Readonly<Record<string, Attribute>>;
  readonly docString?: string | undefined;
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * One operation. `undefined` stands for an optional input or output that is left out.
 *
 * A node reads its inputs, makes its outputs and owns its subgraphs only while it stands in a graph. One that was never
 * put there, was refused or was removed leaves no trace, and can be put into a graph (again).
 */
export class Node {
  readonly op: string;
  /** `''` is the ONNX standard domain (also spelled `ai.onnx`). */
  readonly domain: string;
  readonly overload: string | undefined;
  name: string | undefined;
  docString: string | undefined;
  readonly outputs: readonly (Value | undefined)[];
  readonly metadata: Map<string, string>;
  readonly #attributes: Map<string, Attribute>;
  readonly #inputs: (Value | undefined)[];
  /** One for each input while the node reads them, else empty. */
  #uses: (Use | undefined)[] = [];
  /** @internal Links of the list that the graph keeps. */
  graph: Graph | undefined;
  /** @internal */
  previous: Node | undefined;
  /** @internal */
  next: Node | undefined;

  constructor(op: string, fields: NodeFields) {
    this.op = op;
    this.domain = fields.domain ?? '';
    this.overload = fields.overload;
    this.name = fields.name;
    this.docString = fields.docString;
    this.metadata = new Map(fields.metadata ?? []);
    this.#attributes = toMap(fields.attributes);
    this.#inputs = [...fields.inputs];
    this.outputs = [...fields.outputs];
  }

  get inputs(): readonly (Value | undefined)[] {
    return this.#inputs;
  }

  get attributes(): ReadonlyMap<string, Attribute> {
    return this.#attributes;
  }

  /** The graphs in the attributes (branches of If, bodies of Loop and Scan). */
  get subgraphs(): readonly Graph[] {
    const graphs: Graph[] = [];
    for (const attribute of this.#attributes.values()) for (const graph of graphsOf(attribute)) graphs.push(graph);
    return graphs;
  }

  /** True for `op` of the standard domain, or of `domain`. */
  is(op: string, domain = ''): boolean {
    return this.op === op && this.domain === domain;
  }

  /** Sets one input; an index past the end leaves the inputs between out. */
  setInput(index: number, value: Value | undefined): void {
    this.graph?.checkEditable();
    const old = this.#uses[index];
    if (old) this.#inputs[index]?.detachUse(old);
    while (this.#inputs.length < index) this.#inputs.push(undefined);
    this.#inputs[index] = value;
    if (!this.graph) return;
    while (this.#uses.length < index) this.#uses.push(undefined);
    this.#uses[index] = this.#read(value, index);
    this.graph.touch();
  }

  /**
   * Sets or removes an attribute. A graph that goes with the old one lets go of what it reads, and can be put elsewhere.
   * A graph that another node or attribute has, or that the node is inside of, is refused.
   */
  setAttribute(name: string, attribute: Attribute | undefined): void {
    this.graph?.checkEditable();
    const old = this.#attributes.get(name);
    const before = new Set(old && graphsOf(old));
    const after = attribute ? graphsOf(attribute) : [];
    if (this.graph) this.#checkGraphs(after, this.graph, before);
    if (attribute) this.#attributes.set(name, attribute);
    else this.#attributes.delete(name);
    if (!this.graph) return;
    for (const graph of after) if (!before.delete(graph)) graph.giveTo(this);
    for (const graph of before) graph.giveTo(undefined);
    this.graph.touch();
  }

  /** The integer attribute, or `fallback`. A bigint outside ±2^53 is rounded. */
  int(name: string, fallback: number): number;
  int(name: string, fallback?: undefined): number | undefined;
  int(name: string, fallback?: number): number | undefined {
    const attribute = this.#attributes.get(name);
    return attribute?.type === 'int' ? Number(attribute.value) : fallback;
  }

  ints(name: string): readonly number[] | undefined {
    const attribute = this.#attributes.get(name);
    return attribute?.type === 'ints' ? attribute.value.map(Number) : undefined;
  }

  float(name: string, fallback: number): number {
    const attribute = this.#attributes.get(name);
    return attribute?.type === 'float' ? attribute.value : fallback;
  }

  string(name: string, fallback: string): string {
    const attribute = this.#attributes.get(name);
    return attribute?.type === 'string' && typeof attribute.value === 'string' ? attribute.value : fallback;
  }

  /** @internal Throws, before anything is changed, when the node cannot stand in `graph`. */
  checkEntry(graph: Graph): void {
    if (this.graph) throw internalError(`${this.op} "${this.name ?? ''}" already is in a graph.`);
    const made = this.outputs.length > 1 ? new Set<Value>() : undefined;
    for (const value of this.outputs) {
      if (!value) continue;
      if (value.origin.kind !== 'detached' || made?.has(value))
        throw internalError(`Output "${value.name ?? ''}" of ${this.op} already comes from elsewhere.`);
      made?.add(value);
    }
    this.#checkGraphs(this.subgraphs, graph, new Set());
  }

  /** @internal From here on the node makes its outputs, reads its inputs and owns its subgraphs. */
  enter(graph: Graph): void {
    this.graph = graph;
    this.outputs.forEach((value, index) => value?.setOrigin({ kind: 'output', node: this, index }));
    for (const inner of this.subgraphs) inner.giveTo(this);
    this.attachInputs();
  }

  /** @internal The opposite of `enter`. */
  leave(): void {
    this.detachInputs();
    for (const inner of this.subgraphs) inner.giveTo(undefined);
    for (const value of this.outputs) value?.detach();
    this.graph = undefined;
  }

  /** @internal */
  attachInputs(): void {
    this.#uses = this.#inputs.map((value, index) => this.#read(value, index));
  }

  /** @internal */
  detachInputs(): void {
    this.#uses.forEach((use, index) => {
      if (use) this.#inputs[index]?.detachUse(use);
    });
    this.#uses = [];
  }

  #read(value: Value | undefined, index: number): Use | undefined {
    if (!value) return undefined;
    const use: Use = { kind: 'input', node: this, index };
    value.attachUse(use);
    return use;
  }

  /** Graphs that the node may own in `graph`, each once; it has those in `own` already. */
  #checkGraphs(graphs: readonly Graph[], graph: Graph, own: ReadonlySet<Graph>): void {
    const seen = graphs.length > 1 ? new Set<Graph>() : undefined;
    for (const inner of graphs) {
      if ((inner.owner && !own.has(inner)) || seen?.has(inner))
        throw this.#refusal(inner, 'belongs to another node or attribute');
      if (graph.isInside(inner)) throw this.#refusal(inner, 'would contain itself');
      seen?.add(inner);
    }
  }

  #refusal(inner: Graph, why: string): OptimumError {
    return internalError(`Subgraph "${inner.name ?? ''}" of ${this.op} ${why}.`);
  }
}

function toMap(attributes: NodeFields['attributes']): Map<string, Attribute> {
  if (!attributes) return new Map();
  return new Map(attributes instanceof Map ? attributes : Object.entries(attributes));
}
