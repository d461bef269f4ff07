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

/** A whole field, tag included, that is not modelled. */
export interface UnknownField {
  readonly field: number;
  readonly range: Range;
}

export interface TensorFacts {
  /** The TensorProto; `undefined` when it was split over several messages. */
  readonly range: Range | undefined;
  readonly name: string | undefined;
  /** Its data lies in another file, whose name only holds beside the model that it was read from. */
  readonly isExternal: boolean;
  /** Documentation, metadata and unknown fields. */
  readonly unknown: readonly UnknownField[];
}

export interface AttributeFacts {
  readonly range: Range;
  readonly name: string;
  readonly docString: string | undefined;
  readonly hasType: boolean;
  /** A tensor inside it has its data in another file. */
  readonly isExternal: boolean;
  readonly unknown: readonly UnknownField[];
}

export interface NodeFacts {
  /** As it was spelled: `undefined`, an explicit `''`, or `ai.onnx`, which is the same domain. */
  readonly domain: string | undefined;
  readonly unknown: readonly Range[];
}

export interface GraphFacts {
  readonly inputs: readonly ValueInfoRecord[];
  readonly outputs: readonly ValueInfoRecord[];
  readonly valueInfo: readonly ValueInfoRecord[];
  /** Annotations and unknown fields. */
  readonly unknown: readonly UnknownField[];
}

export interface FunctionFacts {
  readonly range: Range;
  readonly revision: number;
  readonly isExternal: boolean;
  readonly unknown: readonly UnknownField[];
}

/** One key and value as it was encoded. */
export interface EntryRecord {
  readonly value: string;
  readonly range: Range;
}

export const originals = {
  tensors: new WeakMap<Tensor, TensorFacts>(),
  attributes: new WeakMap<Attribute, AttributeFacts>(),
  opsetImports: new WeakMap<OpsetImport, Range>(),
  nodes: new WeakMap<Node, NodeFacts>(),
  graphs: new WeakMap<Graph, GraphFacts>(),
  functions: new WeakMap<ModelFunction, FunctionFacts>(),
  models: new WeakMap<Model, { readonly unknown: readonly UnknownField[] }>(),
  /** By the metadata map of a model, graph or node. */
  entries: new WeakMap<ReadonlyMap<string, string>, ReadonlyMap<string, EntryRecord>>(),
  /** SparseTensorProto of a dense tensor that stands for it, by the tensor. */
  sparse: new WeakMap<Tensor, { readonly range: Range; readonly name: string | undefined }>(),
};
