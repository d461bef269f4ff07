import { codeOfElementType, type Tensor } from '../ir/index.ts';
import { originals, type UnknownField } from './originals.ts';
import type { Range } from './wire-reader.ts';
import { MessageWriter } from './wire-writer.ts';

/** Says where a tensor's bytes go that are not written into the model file itself, or `undefined` for inline. */
export type PlaceExternal = (tensor: Tensor) => { location: string; offset: number; byteLength: number } | undefined;

export const inline: PlaceExternal = () => undefined;

/** TensorProto. One that was read and goes where it came from is written as it was, storage form included. */
export function encodeTensor(tensor: Tensor, name: string | undefined, place: PlaceExternal): MessageWriter {
  const writer = new MessageWriter();
  const external = place(tensor);
  const original = originals.tensors.get(tensor);
  const isHere = original?.range && !original.isExternal && original.name === name;
  if (!external && isHere) return writer.verbatim(original.range as Range);
  for (const dim of tensor.dims) writer.varint(1, dim);
  writer.varint(2, codeOfElementType(tensor.elementType));
  if (tensor.elementType === 'string') for (const value of tensor.strings()) writer.bytes(6, value);
  writer.optionalString(8, name);
  const unknown = original?.unknown ?? [];
  if (!external && tensor.elementType !== 'string') encodeRaw(writer, tensor);
  encodeUnknown(writer, unknown, 0, 13);
  if (external) encodeExternal(writer, external);
  encodeUnknown(writer, unknown, 13, Number.POSITIVE_INFINITY);
  return writer;
}

/** Fields that are not modelled with numbers in `from … to - 1`, ascending. */
export function encodeUnknown(writer: MessageWriter, unknown: readonly UnknownField[], from: number, to: number): void {
  if (unknown.length === 0) return;
  const some = unknown.filter(({ field }) => field >= from && field < to).sort((a, b) => a.field - b.field);
  for (const { range } of some) writer.verbatim(range);
}

function encodeRaw(writer: MessageWriter, tensor: Tensor): void {
  const { backing } = tensor;
  if (backing.kind === 'memory') writer.bytes(9, backing.bytes);
  else if (backing.kind === 'range') writer.payload(9, { kind: 'copy', range: backing });
  else if (backing.kind === 'computed')
    writer.payload(9, { kind: 'part', job: backing.job, part: backing.part, byteLength: tensor.byteLength });
}

function encodeExternal(
  writer: MessageWriter,
  external: { location: string; offset: number; byteLength: number },
): void {
  const entry = (key: string, value: string | number): MessageWriter =>
    new MessageWriter().string(1, key).string(2, String(value));
  writer.message(13, entry('location', external.location));
  writer.message(13, entry('offset', external.offset));
  writer.message(13, entry('length', external.byteLength));
  writer.varint(14, 1);
}
