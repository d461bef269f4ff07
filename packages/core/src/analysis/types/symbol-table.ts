import { type Dim, type Graph, type Shape, type ValueType, walkGraphs } from '../../ir/index.ts';
import { mapShapes, visitShapes } from './merge-types.ts';

/**
 * Names for dimensions of which nothing is known, in the order in which inference meets them, over the names that the
 * model has. A name keeps what is known: that two dimensions are the same one. Python's are `unk__0`, `unk__1`, …
 * @source onnx/shape_inference/implementation.h, SymbolTableImpl; defs/shape_inference.h, SymbolTable::createNew
 */
export class SymbolTable {
  readonly #existing = new Set<string>();
  readonly #prefix: string;
  #next = 0;

  constructor(graph: Graph, prefix: string) {
    this.#prefix = prefix;
    const add = (shape: Shape): void => {
      for (const dim of shape) if (typeof dim === 'string') this.#existing.add(dim);
    };
    for (const inner of walkGraphs(graph)) {
      for (const value of [...inner.inputs, ...inner.outputs]) visitShapes(value.type, add);
      for (const node of inner.nodes()) for (const value of node.outputs) visitShapes(value?.type, add);
    }
  }

  create(): string {
    let name = '';
    do name = `${this.#prefix}${this.#next++}`;
    while (this.#existing.has(name));
    this.#existing.add(name);
    return name;
  }

  /** The type with a fresh name for every unknown dimension. */
  materialize(type: ValueType): ValueType {
    return mapShapes(type, (shape) => shape?.map((dim) => dim ?? this.create()));
  }

  /** True for a name of ours, and for what was computed with one. */
  isOurs(dim: Dim): boolean {
    return typeof dim === 'string' && dim.includes(this.#prefix);
  }
}
