import { internalError } from '../foundation/index.ts';
import type { ElementType } from './element-type.ts';
import type { Graph } from './graph.ts';
import type { Node } from './node.ts';
import type { Tensor } from './tensor.ts';
import type { Shape, ValueType } from './type.ts';

/** Exactly one place a value comes from. */
export type Origin =
  | { readonly kind: 'output'; readonly node: Node; readonly index: number }
  /** A graph input; `fallback` is the data of an input that is also an initializer. */
  | { readonly kind: 'input'; readonly graph: Graph; readonly fallback?: Tensor | undefined }
  | { readonly kind: 'initializer'; readonly graph: Graph; readonly tensor: Tensor }
  | { readonly kind: 'detached' };

/** One place where a value is read. */
export type Use =
  | { readonly kind: 'input'; readonly node: Node; readonly index: number }
  | { readonly kind: 'output'; readonly graph: Graph; readonly index: number };

const detached: Origin = { kind: 'detached' };

/**
 * What flows along an edge. Its identity is the object, never the name: names of graph inputs and outputs are the
 * user's contract and never change, other names may be missing or clash, and the writer makes them unique.
 */
export class Value {
  name: string | undefined;
  type: ValueType | undefined;
  /** `value_info` doc string, kept for the round trip. */
  docString: string | undefined;
  #origin: Origin = detached;
  readonly #uses = new Set<Use>();

  constructor(name?: string, type?: ValueType) {
    this.name = name;
    this.type = type;
  }

  get origin(): Origin {
    return this.#origin;
  }

  /** Every place that reads the value, in the order in which they were attached. */
  get uses(): ReadonlySet<Use> {
    return this.#uses;
  }

  get producer(): Node | undefined {
    return this.#origin.kind === 'output' ? this.#origin.node : undefined;
  }

  get elementType(): ElementType | undefined {
    return this.type?.kind === 'tensor' ? this.type.elementType : undefined;
  }

  get shape(): Shape | undefined {
    return this.type?.kind === 'tensor' ? this.type.shape : undefined;
  }

  /** The nodes that read the value, each once. */
  get consumers(): Node[] {
    const nodes = new Set<Node>();
    for (const use of this.#uses) if (use.kind === 'input') nodes.add(use.node);
    return [...nodes];
  }

  get isGraphOutput(): boolean {
    for (const use of this.#uses) if (use.kind === 'output') return true;
    return false;
  }

  /** True for inputs and outputs of graphs: their names are the user's contract and never change. */
  get isPublic(): boolean {
    return this.#origin.kind === 'input' || this.isGraphOutput;
  }

  /** Moves every use of this value to `other`, whose name becomes that of an output (see `setOutput`). O(uses). */
  replaceAllUsesWith(other: Value): void {
    if (other === this) return;
    for (const use of this.#uses) if (use.kind === 'output') use.graph.checkOutput(this, other);
    for (const use of [...this.#uses]) {
      if (use.kind === 'input') use.node.setInput(use.index, other);
      else use.graph.setOutput(use.index, other);
    }
  }

  /** @internal For Node and Graph only. */
  setOrigin(origin: Origin): void {
    if (origin.kind !== 'detached' && this.#origin.kind !== 'detached' && !sameOwner(origin, this.#origin)) {
      throw internalError(`Value "${this.name ?? ''}" already comes from ${this.#origin.kind}.`);
    }
    this.#origin = origin;
  }

  /** @internal */
  detach(): void {
    this.#origin = detached;
  }

  /** @internal */
  attachUse(use: Use): void {
    this.#uses.add(use);
  }

  /** @internal */
  detachUse(use: Use): void {
    this.#uses.delete(use);
  }
}

const sameOwner = (a: Origin, b: Origin): boolean =>
  a.kind !== 'output' && b.kind !== 'output' && a.kind !== 'detached' && b.kind !== 'detached' && a.graph === b.graph;
