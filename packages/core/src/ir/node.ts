import { internalError } from '../foundation/index.ts';
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

/** One operation. `undefined` stands for an optional input or output that is left out. */
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
  readonly #uses: (Use | undefined)[];
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
    this.#uses = this.#inputs.map((value, index) => this.#attach(value, index));
    this.outputs.forEach((value, index) => value?.setOrigin({ kind: 'output', node: this, index }));
    for (const attribute of this.#attributes.values()) this.#own(attribute);
  }

  get inputs(): readonly (Value | undefined)[] {
    return this.#inputs;
  }

  get attributes(): ReadonlyMap<string, Attribute> {
    return this.#attributes;
  }

  /** The graphs in the attributes (branches of If, bodies of Loop and Scan). */
  get subgraphs(): readonly Graph[] {
    return [...this.#attributes.values()].flatMap(graphsOf);
  }

  /** True for `op` of the standard domain, or of `domain`. */
  is(op: string, domain = ''): boolean {
    return this.op === op && this.domain === domain;
  }

  /** Sets one input; an index past the end leaves the inputs between out. */
  setInput(index: number, value: Value | undefined): void {
    const old = this.#uses[index];
    if (old) this.#inputs[index]?.detachUse(old);
    while (this.#inputs.length < index) {
      this.#inputs.push(undefined);
      this.#uses.push(undefined);
    }
    this.#inputs[index] = value;
    this.#uses[index] = this.#attach(value, index);
    this.graph?.touch();
  }

  setAttribute(name: string, attribute: Attribute | undefined): void {
    const old = this.#attributes.get(name);
    if (old) for (const graph of graphsOf(old)) graph.owner = undefined;
    if (attribute) {
      this.#attributes.set(name, attribute);
      this.#own(attribute);
    } else this.#attributes.delete(name);
    this.graph?.touch();
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

  /** @internal Lets go of every input and output; the graph calls it when the node is removed. */
  release(): void {
    this.#inputs.forEach((value, index) => {
      const use = this.#uses[index];
      if (use) value?.detachUse(use);
    });
    for (const value of this.outputs) value?.detach();
    for (const graph of this.subgraphs) graph.release();
  }

  #attach(value: Value | undefined, index: number): Use | undefined {
    if (!value) return undefined;
    const use: Use = { kind: 'input', node: this, index };
    value.attachUse(use);
    return use;
  }

  #own(attribute: Attribute): void {
    for (const graph of graphsOf(attribute)) {
      if (graph.owner && graph.owner !== this) throw internalError(`A subgraph of ${this.op} belongs to another node.`);
      graph.owner = this;
    }
  }
}

function toMap(attributes: NodeFields['attributes']): Map<string, Attribute> {
  if (!attributes) return new Map();
  return new Map(attributes instanceof Map ? attributes : Object.entries(attributes));
}
