import type { Attribute, Dim, Graph, ModelFunction, OpsetImport, Tensor, Value, ValueType } from '../../ir/index.ts';

/** What is known inside a model's graphs, or inside one call of a function: such a call sees nothing of its caller. */
export class Scope {
  readonly types = new Map<Value, ValueType>();
  readonly values = new Map<Value, readonly Dim[]>();
  /** Data that a function gets from its caller. */
  readonly tensors = new Map<Value, Tensor>();
  /** Formal parameters that the caller left out. */
  readonly absent = new Set<Value>();
  /** Subgraphs that were walked. */
  readonly graphs = new Set<Graph>();
  /** What references to attributes of the function stand for. */
  readonly attributes = new Map<string, Attribute>();
  /** The functions that are being called, innermost last. */
  readonly calls: readonly ModelFunction[];
  readonly #opsets: ReadonlyMap<string, number>;

  constructor(opsets: readonly OpsetImport[], calls: readonly ModelFunction[] = []) {
    this.#opsets = new Map(opsets.map(({ domain, version }) => [domain === 'ai.onnx' ? '' : domain, version]));
    this.calls = calls;
  }

  opset(domain: string): number | undefined {
    return this.#opsets.get(domain === 'ai.onnx' ? '' : domain);
  }
}
