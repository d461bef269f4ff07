import { OptimumError } from '../foundation/index.ts';
import { type Dim, type ElementType, elementTypeOfCode, type ValueType } from '../ir/index.ts';
import { type Budget, costs } from './limits.ts';
import type { WireReader } from './wire-reader.ts';

/** What the reader of types needs of the context. */
export interface TypeContext {
  readonly reader: WireReader;
  readonly budget: Budget;
}

/** TypeProto from the reader's position to `end`. A part that comes again is merged into the one before it. */
export function readType(context: TypeContext, end: number, depth: number, before?: ValueType): ValueType | undefined {
  const { reader, budget } = context;
  budget.depth(depth);
  let type = before;
  while (reader.next(end)) {
    switch (reader.field) {
      case 1:
        type = readTensorType(context, reader.nested(end), 'tensor', type);
        break;
      case 4:
        type = readContainer(context, reader.nested(end), 'sequence', depth + 1, type);
        break;
      case 5:
        type = readMapType(context, reader.nested(end), depth + 1, type);
        break;
      case 7:
        reader.skip(end);
        type = { kind: 'opaque' };
        break;
      case 8:
        type = readTensorType(context, reader.nested(end), 'sparse', type);
        break;
      case 9:
        type = readContainer(context, reader.nested(end), 'optional', depth + 1, type);
        break;
      default:
        reader.skip(end);
    }
  }
  return type;
}

function readTensorType(
  context: TypeContext,
  end: number,
  kind: 'tensor' | 'sparse',
  before: ValueType | undefined,
): ValueType {
  const { reader, budget } = context;
  const known = before?.kind === kind ? before : undefined;
  let elementType = known?.elementType;
  let shape = known?.shape ? [...known.shape] : undefined;
  budget.spend(costs.range);
  while (reader.next(end)) {
    if (reader.field === 1) elementType = readElementType(reader);
    else if (reader.field === 2) shape = readShape(context, reader.nested(end), shape ?? []);
    else reader.skip(end);
  }
  return { kind, elementType, shape };
}

/** 0 (UNDEFINED) means that nothing is known; a number that no version of ONNX defines is refused. */
export function readElementType(reader: WireReader): ElementType | undefined {
  const code = reader.int32();
  const elementType = elementTypeOfCode(code);
  if (elementType || code === 0) return elementType;
  const file = reader.source.name;
  throw new OptimumError(
    'E_UNSUPPORTED_DTYPE',
    `${file}: element type ${code} at byte ${reader.tagStart} is not known.`,
    {
      hint: 'The file is damaged, or of a later ONNX than this version knows: update, or export for an earlier opset.',
      context: { file, code, offset: reader.tagStart },
    },
  );
}

function readShape(context: TypeContext, end: number, shape: Dim[]): Dim[] {
  const { reader, budget } = context;
  while (reader.next(end)) {
    if (reader.field !== 1) reader.skip(end);
    else shape.push(readDim(reader, reader.nested(end)));
    budget.rank(shape.length);
  }
  return shape;
}

function readDim(reader: WireReader, end: number): Dim {
  let dim: Dim = null;
  while (reader.next(end)) {
    if (reader.field === 1) dim = readSize(reader);
    else if (reader.field === 2) dim = reader.name(end) || null;
    else reader.skip(end);
  }
  return dim;
}

function readSize(reader: WireReader): number | null {
  const size = reader.int64();
  // Exporters write -1 (and some 0 with a symbol) for "not known".
  if (size < 0) return null;
  if (typeof size === 'number') return size;
  const file = reader.source.name;
  throw new OptimumError(
    'E_MODEL_INVALID',
    `${file}: a dimension of ${size} at byte ${reader.tagStart} is too large.`,
    {
      context: { file, offset: reader.tagStart, size: String(size) },
    },
  );
}

function readContainer(
  context: TypeContext,
  end: number,
  kind: 'sequence' | 'optional',
  depth: number,
  before: ValueType | undefined,
): ValueType {
  const { reader } = context;
  let element = before?.kind === kind ? before.element : undefined;
  while (reader.next(end)) {
    if (reader.field === 1) element = readType(context, reader.nested(end), depth + 1, element);
    else reader.skip(end);
  }
  return { kind, element };
}

function readMapType(context: TypeContext, end: number, depth: number, before: ValueType | undefined): ValueType {
  const { reader } = context;
  let { key, value } = before?.kind === 'map' ? before : { key: undefined, value: undefined };
  while (reader.next(end)) {
    if (reader.field === 1) key = readElementType(reader);
    else if (reader.field === 2) value = readType(context, reader.nested(end), depth + 1, value);
    else reader.skip(end);
  }
  return { kind: 'map', key, value };
}
