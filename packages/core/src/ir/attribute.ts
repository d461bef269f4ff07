import type { Graph } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** Integers are numbers inside ±2^53 and bigints only outside. Floats are float32 values. Strings are UTF-8 bytes
 * where they are not valid UTF-8. A `ref` stands for an attribute of the function that holds the node. */
export type Attribute =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: number | bigint }
  | { readonly type: 'string'; readonly value: string | Uint8Array }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'graph'; readonly value: Graph }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly (number | bigint)[] }
  | { readonly type: 'strings'; readonly value: readonly (string | Uint8Array)[] }
  | { readonly type: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly type: 'graphs'; readonly value: readonly Graph[] }
  /** Kinds that no pass edits (sparse tensors, type protos): the encoded AttributeProto, kept as it is. */
  | { readonly type: 'opaque'; readonly value: Uint8Array }
  | { readonly type: 'ref'; readonly parameter: string; readonly of: string };

export const intAttribute = (value: number | bigint): Attribute => ({ type: 'int', value });
export const floatAttribute = (value: number): Attribute => ({ type: 'float', value: Math.fround(value) });
export const stringAttribute = (value: string): Attribute => ({ type: 'string', value });
export const intsAttribute = (value: readonly (number | bigint)[]): Attribute => ({ type: 'ints', value });
export const tensorAttribute = (value: Tensor): Attribute => ({ type: 'tensor', value });
export const graphAttribute = (value: Graph): Attribute => ({ type: 'graph', value });

/** The graphs inside an attribute, for nested walks. */
export function graphsOf(attribute: Attribute): readonly Graph[] {
  if (attribute.type === 'graph') return [attribute.value];
  return attribute.type === 'graphs' ? attribute.value : none;
}

/** One for all attributes without graphs: walks ask every attribute of every node. */
const none: readonly Graph[] = [];
