import { storedTensor } from '../../analysis/index.ts';
import { type ElementType, type Graph, tensorOf, type Value } from '../../ir/index.ts';

/** The numbers of a stored int8 or uint8 tensor, such as zero points; `undefined` where they are computed. */
export function byteNumbersOf(value: Value): readonly number[] | undefined {
  const tensor = storedTensor(value);
  if (tensor?.elementType === 'uint8') return [...tensor.bytes()];
  if (tensor?.elementType !== 'int8') return undefined;
  const bytes = tensor.bytes();
  return [...new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)];
}

/** A new weight of bytes in a graph. */
export function addBytes(
  graph: Graph,
  elementType: Extract<ElementType, 'uint8' | 'int8'>,
  dims: readonly number[],
  numbers: readonly number[],
  name: string | undefined,
): Value {
  const values = elementType === 'int8' ? Int8Array.from(numbers) : Uint8Array.from(numbers);
  return graph.addInitializer(tensorOf(elementType, dims, values), name);
}
