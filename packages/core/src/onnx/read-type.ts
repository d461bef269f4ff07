import { OptimumError } from '../foundation/index.ts';
import { type Dim, type ElementType, elementTypeOfCode, type ValueType } from '../ir/index.ts';
import type { Budget } from './limits.ts';
import type { WireReader } from './wire-reader.ts';

/** TypeProto from the reader's position to `end`. Fields that are split over several messages merge. */
export function readType(reader: WireReader, end: number, budget: Budget, depth: number): ValueType | undefined {
  budget.depth(depth);
  let type: ValueType | undefined;
  while (reader.next(end)) {
    switch (reader.field) {
      case 1:
        type = readTensorType(reader, nested(reader, end), budget, 'tensor');
        break;
      case 4:
        type = { kind: 'sequence', element: readElement(reader, nested(reader, end), budget, depth + 1) };
        break;
      case 5:
        type = readMapType(reader, nested(reader, end), budget, depth + 1);
        break;
      case 7:
        reader.skip(end);
        type = { kind: 'opaque' };
        break;
      case 8:
        type = readTensorType(reader, nested(reader, end), budget, 'sparse');
        break;
      case 9:
        type = { kind: 'optional', element: readElement(reader, nested(reader, end), budget, depth + 1) };
        break;
      default:
        reader.skip(end);
    }
  }
  return type;
}

/** End of the length-delimited field that the reader stands on. */
export const nested = (reader: WireReader, end: number): number => {
  const length = reader.length(end);
  return reader.position + length;
};

function readTensorType(reader: WireReader, end: number, budget: Budget, kind: 'tensor' | 'sparse'): ValueType {
  let elementType: ElementType | undefined;
  let shape: Dim[] | undefined;
  while (reader.next(end)) {
    if (reader.field === 1) elementType = readElementType(reader);
    else if (reader.field === 2) shape = readShape(reader, nested(reader, end), budget, shape);
    else reader.skip(end);
  }
  return { kind, elementType, shape };
}

/** 0 (UNDEFINED) means that nothing is known; a number that no version of ONNX defines is refused. */
export function readElementType(reader: WireReader): ElementType | undefined {
  const code = reader.int32();
  const elementType = elementTypeOfCode(code);
  if (elementType || code === 0) return elementType;
  throw new OptimumError(
    'E_UNSUPPORTED_DTYPE',
    `${reader.source.name}: element type ${code} at byte ${reader.tagStart} is not known.`,
    {
      context: { code, offset: reader.tagStart },
    },
  );
}

function readShape(reader: WireReader, end: number, budget: Budget, before: readonly Dim[] = []): Dim[] {
  const shape: Dim[] = [...before];
  while (reader.next(end)) {
    if (reader.field !== 1) reader.skip(end);
    else shape.push(readDim(reader, nested(reader, end)));
    budget.rank(shape.length);
  }
  return shape;
}

function readDim(reader: WireReader, end: number): Dim {
  let dim: Dim = null;
  while (reader.next(end)) {
    if (reader.field === 1) {
      const size = Number(reader.int64());
      // Exporters write -1 (and some 0 with a symbol) for "not known".
      dim = size < 0 ? null : size;
    } else if (reader.field === 2) dim = reader.string(end) || null;
    else reader.skip(end);
  }
  return dim;
}

function readElement(reader: WireReader, end: number, budget: Budget, depth: number): ValueType | undefined {
  let element: ValueType | undefined;
  while (reader.next(end)) {
    if (reader.field === 1) element = readType(reader, nested(reader, end), budget, depth + 1);
    else reader.skip(end);
  }
  return element;
}

function readMapType(reader: WireReader, end: number, budget: Budget, depth: number): ValueType {
  let key: ElementType | undefined;
  let value: ValueType | undefined;
  while (reader.next(end)) {
    if (reader.field === 1) key = readElementType(reader);
    else if (reader.field === 2) value = readType(reader, nested(reader, end), budget, depth + 1);
    else reader.skip(end);
  }
  return { kind: 'map', key, value };
}
