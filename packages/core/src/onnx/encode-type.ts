import { codeOfElementType, type Dim, type ElementType, type ValueType } from '../ir/index.ts';
import { MessageWriter } from './wire-writer.ts';

/** TypeProto. @source onnx.proto */
export function encodeType(type: ValueType): MessageWriter {
  const writer = new MessageWriter();
  switch (type.kind) {
    case 'tensor':
      return writer.message(1, encodeTensorType(type.elementType, type.shape));
    case 'sparse':
      return writer.message(8, encodeTensorType(type.elementType, type.shape));
    case 'sequence':
      return writer.message(4, encodeElement(type.element));
    case 'optional':
      return writer.message(9, encodeElement(type.element));
    case 'map': {
      const map = new MessageWriter();
      if (type.key) map.varint(1, codeOfElementType(type.key));
      if (type.value) map.message(2, encodeType(type.value));
      return writer.message(5, map);
    }
    case 'opaque':
      return writer.message(7, new MessageWriter());
  }
}

function encodeTensorType(elementType: ElementType | undefined, shape: readonly Dim[] | undefined): MessageWriter {
  const writer = new MessageWriter();
  if (elementType) writer.varint(1, codeOfElementType(elementType));
  if (!shape) return writer;
  const dims = new MessageWriter();
  for (const dim of shape) dims.message(1, encodeDim(dim));
  return writer.message(2, dims);
}

function encodeDim(dim: Dim): MessageWriter {
  const writer = new MessageWriter();
  if (typeof dim === 'number') return writer.varint(1, dim);
  return dim === null ? writer : writer.string(2, dim);
}

function encodeElement(element: ValueType | undefined): MessageWriter {
  const writer = new MessageWriter();
  return element ? writer.message(1, encodeType(element)) : writer;
}

/** ValueInfoProto. */
export function encodeValueInfo(name: string, type: ValueType | undefined, docString?: string): MessageWriter {
  const writer = new MessageWriter().string(1, name);
  if (type) writer.message(2, encodeType(type));
  return writer.optionalString(3, docString);
}
