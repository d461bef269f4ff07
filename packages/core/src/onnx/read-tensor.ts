import { OptimumError, quote } from '../foundation/index.ts';
import { type Backing, type ElementType, elementCount, Tensor } from '../ir/index.ts';
import { costs } from './limits.ts';
import { originals, type UnknownField } from './originals.ts';
import { type ReadContext, within } from './read-context.ts';
import { readElementType } from './read-type.ts';
import { dataFieldOf, dataFields, listBacking } from './tensor-data.ts';
import { type Range, wireTypes } from './wire-reader.ts';

/** What a TensorProto holds before it becomes a tensor. */
interface Fields {
  readonly dims: number[];
  elementType: ElementType | undefined;
  name: string | undefined;
  raw: Range | undefined;
  /** Lists of numbers by field number, as encoded pieces in order: a number that is not packed is a piece too. */
  readonly lists: Map<number, Range[]>;
  readonly strings: Uint8Array[];
  location: number;
  readonly external: Map<string, string>;
  readonly unknown: UnknownField[];
}

export interface NamedTensor {
  readonly tensor: Tensor;
  readonly name: string | undefined;
}

/** TensorProto from one or more encoded pieces (protobuf merges a message that is split). Payloads stay there. */
export function readTensor(context: ReadContext, pieces: readonly Range[]): NamedTensor {
  const { reader, budget } = context;
  budget.spend(costs.tensor);
  const after = reader.position;
  const fields: Fields = {
    dims: [],
    elementType: undefined,
    name: undefined,
    raw: undefined,
    lists: new Map(),
    strings: [],
    location: 0,
    external: new Map(),
    unknown: [],
  };
  try {
    for (const { offset, byteLength } of pieces) {
      reader.position = offset;
      while (reader.next(offset + byteLength)) readField(context, offset + byteLength, fields);
    }
    const tensor = build(context, fields);
    const range = pieces.length === 1 ? pieces[0] : undefined;
    const { name, unknown } = fields;
    originals.tensors.set(tensor, { range, name, isExternal: fields.location === 1, unknown });
    reader.position = after;
    return { tensor, name };
  } catch (error) {
    const facts = { tensor: fields.name, dims: fields.dims };
    throw within(error, context.file, `tensor ${quote(fields.name ?? '')} at byte ${pieces[0]?.offset}`, facts);
  }
}

function readField(context: ReadContext, end: number, fields: Fields): void {
  const { reader, budget } = context;
  switch (reader.field) {
    case 1:
      readDims(context, end, fields);
      break;
    case 2:
      fields.elementType = readElementType(reader);
      break;
    case 3:
      throw context.refused('E_UNSUPPORTED_FEATURE', 'it is a segment of a larger tensor, which no runtime reads');
    case 4:
    case 5:
    case 7:
    case 10:
    case 11:
      readNumbers(context, end, fields);
      break;
    case 6:
      budget.spend(costs.string + costs.range);
      fields.strings.push(reader.bytes(end));
      break;
    case 8:
      fields.name = reader.name(end);
      break;
    case 9:
      fields.raw = reader.range(end);
      break;
    case 13:
      context.entry(end, fields.external, 'its external data');
      break;
    case 14:
      fields.location = reader.int32();
      break;
    default:
      budget.spend(costs.range);
      fields.unknown.push({ field: reader.field, range: reader.skip(end) });
  }
}

function readDims({ reader, budget }: ReadContext, end: number, { dims }: Fields): void {
  const add = (): void => {
    dims.push(Number(reader.rawInt64()));
    budget.rank(dims.length);
  };
  if (reader.wireType === wireTypes.bytes) reader.packed(end, add);
  else {
    dims.push(Number(reader.int64()));
    budget.rank(dims.length);
  }
}

function readNumbers(context: ReadContext, end: number, fields: Fields): void {
  const { reader, budget } = context;
  const { field, source } = reader;
  const pieces = fields.lists.get(field) ?? [];
  fields.lists.set(field, pieces);
  budget.spend(costs.range);
  if (reader.wireType === wireTypes.bytes) {
    const piece = reader.range(end);
    if (piece.byteLength > 0) pieces.push(piece);
    return;
  }
  const loose = field === 4 ? wireTypes.fixed32 : field === 10 ? wireTypes.fixed64 : wireTypes.varint;
  if (reader.wireType !== loose)
    throw reader.error(`field ${field} has wire type ${reader.wireType}, expected ${loose}`);
  const offset = reader.position;
  reader.skip(end);
  pieces.push({ source, offset, byteLength: reader.position - offset });
}

function build(context: ReadContext, fields: Fields): Tensor {
  const { elementType, dims } = fields;
  if (!elementType) throw context.invalid('it has no element type');
  checkFields(context, fields, elementType);
  try {
    return new Tensor(elementType, dims, backingOf(context, fields, elementType));
  } catch (error) {
    if (!OptimumError.isInstance(error) || error.message.startsWith(context.file)) throw error;
    throw context.refused(error.code, error.message.replace(/\.$/, ''), error.hint, error.context);
  }
}

/** The data must be in one place, and in one that its type allows. */
function checkFields(context: ReadContext, fields: Fields, elementType: ElementType): void {
  const used = [...fields.lists].filter(([, pieces]) => pieces.length > 0).map(([field]) => field);
  if (fields.strings.length > 0) used.push(6);
  if ((fields.raw?.byteLength ?? 0) > 0) used.push(9);
  const names = used.map((field) => dataFields.get(field) as string);
  if (fields.location !== 0 && fields.location !== 1)
    throw context.invalid(`its data_location is ${fields.location}, expected 0 (here) or 1 (external)`);
  if (fields.location === 1) names.push('external data');
  if (names.length > 1) throw context.invalid(`its data is in two places: ${names.join(' and ')}`);
  if (elementType === 'string' && (used.includes(9) || fields.location === 1))
    throw context.invalid(`it holds strings, which cannot be in ${names[0]}`);
  const own = dataFieldOf(elementType);
  const wrong = used.find((field) => field !== 9 && field !== own);
  if (wrong !== undefined)
    throw context.invalid(
      `${elementType} data is in ${dataFields.get(wrong)}, expected raw_data or ${dataFields.get(own)}`,
    );
}

function backingOf(context: ReadContext, fields: Fields, elementType: ElementType): Backing {
  const { dims } = fields;
  if (elementType === 'string') return { kind: 'strings', values: checkStrings(context, fields) };
  if (fields.location === 1)
    return context.external.backing({ tensor: fields.name ?? '', elementType, dims, entries: fields.external });
  const pieces = fields.lists.get(dataFieldOf(elementType)) ?? [];
  if (pieces.length > 0) return listBacking(context.reader.source, pieces, elementType, dims);
  return fields.raw ? { kind: 'range', ...fields.raw } : { kind: 'memory', bytes: new Uint8Array() };
}

function checkStrings(context: ReadContext, { dims, strings }: Fields): Uint8Array[] {
  const count = elementCount(dims);
  if (count === strings.length) return strings;
  throw context.invalid(`string [${dims.join(', ')}] needs ${count} strings, but has ${strings.length}`);
}
