import { allocate, quote } from '../foundation/index.ts';
import { byteLengthOf, elementByteLength, elementCount, type Tensor, tensorsOfJob } from '../ir/index.ts';
import { costs } from './limits.ts';
import { originals } from './originals.ts';
import type { ReadContext } from './read-context.ts';
import { type NamedTensor, readTensor } from './read-tensor.ts';
import { type Range, wireTypes } from './wire-reader.ts';

/** Dense bytes that any sparse tensor may have, and the most that one may have whatever its encoded size. */
const smallestDense = 1 << 24;
const largestDense = 2 ** 30;
const largestRatio = 256;

/**
 * SparseTensorProto as the dense tensor that it stands for, which is computed when somebody asks: runtimes do the same.
 * Its encoding is kept, and written back as long as its name stays.
 * @throws E_UNSUPPORTED_FEATURE when its data lies in another file: what stays encoded cannot follow the model
 */
export function readSparseTensor(context: ReadContext, range: Range): NamedTensor {
  const externalBefore = context.external.count;
  context.budget.spend(costs.tensor);
  const { values, indices, dims } = readParts(context, range);
  const { name } = values;
  const what = `sparse tensor ${quote(name ?? '')} at byte ${range.offset}`;
  if (context.external.count > externalBefore)
    throw context.refused('E_UNSUPPORTED_FEATURE', `${what} has its data in another file`);
  const { elementType } = values.tensor;
  if (elementByteLength(elementType) < 1)
    throw context.refused('E_UNSUPPORTED_FEATURE', `${what} is of ${elementType}, which is not supported there`);
  const byteLength = byteLengthOf(elementType, dims);
  const limit = Math.min(largestDense, Math.max(smallestDense, range.byteLength * largestRatio));
  if (byteLength > limit)
    throw context.refused('E_LIMIT_BYTES', `${what} stands for ${byteLength} bytes; the limit is ${limit}`, undefined, {
      limit,
    });
  const places = placesOf(context, values.tensor, indices?.tensor, dims, what);
  const run = (emit: (part: number, offset: number, bytes: Uint8Array) => void): void =>
    emit(0, 0, scatter(values.tensor, places, byteLength));
  const [tensor] = tensorsOfJob({ parts: [{ elementType, dims }], run });
  originals.sparse.set(tensor as Tensor, { range, name });
  return { tensor: tensor as Tensor, name };
}

function readParts(
  context: ReadContext,
  { offset, byteLength }: Range,
): { values: NamedTensor; indices: NamedTensor | undefined; dims: number[] } {
  const { reader, budget } = context;
  const end = offset + byteLength;
  const values: Range[] = [];
  const indices: Range[] = [];
  const dims: number[] = [];
  const add = (): void => {
    dims.push(Number(reader.rawInt64()));
    budget.rank(dims.length);
  };
  reader.position = offset;
  while (reader.next(end)) {
    const { field } = reader;
    if (field === 1 || field === 2) (field === 1 ? values : indices).push(context.range(end));
    else if (field !== 3) reader.skip(end);
    else if (reader.wireType === wireTypes.bytes) reader.packed(end, add);
    else if (reader.wireType === wireTypes.varint) add();
    else throw reader.error(`field 3 has wire type ${reader.wireType}, expected 0 or 2`);
  }
  if (values.length === 0) throw context.invalid(`a sparse tensor at byte ${offset} has no values`);
  return {
    values: readTensor(context, values),
    indices: indices.length > 0 ? readTensor(context, indices) : undefined,
    dims,
  };
}

/** Where each value goes in the dense tensor, from indices of shape [count] or [count, rank]. */
function placesOf(
  context: ReadContext,
  values: Tensor,
  indices: Tensor | undefined,
  dims: readonly number[],
  what: string,
): Float64Array {
  const count = values.elementCount;
  if (values.dims.length !== 1) throw context.invalid(`${what} has values of rank ${values.dims.length}, expected 1`);
  if (count === 0) return new Float64Array();
  const width = indices?.dims.length === 2 ? dims.length : 1;
  const isRight = indices?.elementType === 'int64' && indices.dims[0] === count && (indices.dims[1] ?? 1) === width;
  if (!indices || !isRight || indices.dims.length > 2)
    throw context.invalid(
      `${what} has ${count} values, but no int64 indices of [${count}] or [${count}, ${dims.length}]`,
    );
  const bytes = indices.bytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bounds = indices.dims.length === 2 ? dims : [elementCount(dims)];
  const places = new Float64Array(count);
  for (let at = 0; at < count * width; at++) {
    const index = Number(view.getBigInt64(at * 8, true));
    const bound = bounds[at % width] as number;
    if (index < 0 || index >= bound)
      throw context.invalid(`${what} has the index ${index}, expected 0 to ${bound - 1}`);
    const row = Math.floor(at / width);
    places[row] = (places[row] as number) * bound + index;
  }
  return places;
}

function scatter(values: Tensor, places: Float64Array, byteLength: number): Uint8Array {
  const dense = allocate(byteLength, 'a sparse tensor');
  const bytes = values.bytes();
  const width = elementByteLength(values.elementType);
  places.forEach((place, row) => dense.set(bytes.subarray(row * width, (row + 1) * width), place * width));
  return dense;
}
