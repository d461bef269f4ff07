import { codeOfElementType, type Tensor } from '../ir/index.ts';
import { originals } from './originals.ts';
import { MessageWriter } from './wire-writer.ts';

/** Says where a tensor's bytes go that are not written into the model file itself, or `undefined` for inline. */
export type PlaceExternal = (tensor: Tensor) => { location: string; offset: number; byteLength: number } | undefined;

export const inline: PlaceExternal = () => undefined;

/** TensorProto. One that was read and goes where it came from is written as it was, storage form included. */
export function encodeTensor(tensor: Tensor, name: string | undefined, place: PlaceExternal): MessageWriter {
  const writer = new MessageWriter();
  const external = place(tensor);
  const original = originals.tensors.get(tensor);
  if (!external && original && !original.isExternal && original.name === name) return writer.verbatim(original.range);
  for (const dim of tensor.dims) writer.varint(1, dim);
  writer.varint(2, codeOfElementType(tensor.elementType));
  if (tensor.elementType === 'string') for (const value of tensor.strings()) writer.bytes(6, value);
  writer.optionalString(8, name);
  if (external) return encodeExternal(writer, external);
  return tensor.elementType === 'string' ? writer : encodeRaw(writer, tensor);
}

function encodeRaw(writer: MessageWriter, tensor: Tensor): MessageWriter {
  const { backing } = tensor;
  switch (backing.kind) {
    case 'memory':
      return writer.bytes(9, backing.bytes);
    case 'range':
      return writer.payload(9, { kind: 'copy', range: backing });
    case 'computed':
      return writer.payload(9, { kind: 'part', job: backing.job, part: backing.part, byteLength: tensor.byteLength });
    case 'strings':
      return writer;
  }
}

function encodeExternal(
  writer: MessageWriter,
  external: { location: string; offset: number; byteLength: number },
): MessageWriter {
  const entry = (key: string, value: string | number): MessageWriter =>
    new MessageWriter().string(1, key).string(2, String(value));
  writer.message(13, entry('location', external.location));
  writer.message(13, entry('offset', external.offset));
  writer.message(13, entry('length', external.byteLength));
  return writer.varint(14, 1);
}
