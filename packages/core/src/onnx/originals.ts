import type {
  Attribute,
  Graph,
  Model,
  ModelFunction,
  Node,
  OpsetImport,
  Tensor,
  Value,
  ValueType,
} from '../ir/index.ts';
import type { Range } from './wire-reader.ts';

/**
 * How objects were encoded in the file that they came from. What nobody touched is written back from here, byte for
 * byte: storage forms, explicit empty fields, and fields that this version does not know. Objects that are immutable
 * (tensors, attributes, opset imports) are looked up by identity; for the others the facts say what to compare.
 */
export interface ValueInfoRecord {
  readonly range: Range;
  readonly value: Value | undefined;
  readonly name: string;
  readonly type: ValueType | undefined;
}

export interface NodeFacts {
  readonly hasDomain: boolean;
  readonly unknown: readonly Range[];
}

export interface GraphFacts {
  readonly inputs: readonly ValueInfoRecord[];
  readonly outputs: readonly ValueInfoRecord[];
  readonly valueInfo: readonly ValueInfoRecord[];
  /** Annotations, sparse initializers and unknown fields, by ascending field number. */
  readonly unknown: readonly UnknownField[];
}

export interface UnknownField {
  readonly field: number;
  readonly range: Range;
}

export interface ModelFacts {
  readonly unknown: readonly UnknownField[];
}

export const originals = {
  /** Encoded TensorProto and the name inside it. */
  tensors: new WeakMap<
    Tensor,
    { readonly range: Range; readonly name: string | undefined; readonly isExternal: boolean }
  >(),
  attributes: new WeakMap<
    Attribute,
    { readonly range: Range; readonly docString: string | undefined; readonly hasType: boolean }
  >(),
  opsetImports: new WeakMap<OpsetImport, Range>(),
  nodes: new WeakMap<Node, NodeFacts>(),
  graphs: new WeakMap<Graph, GraphFacts>(),
  functions: new WeakMap<ModelFunction, { readonly range: Range; readonly revision: number }>(),
  models: new WeakMap<Model, ModelFacts>(),
};
