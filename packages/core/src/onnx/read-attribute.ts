import { OptimumError, quote, readBytes } from '../foundation/index.ts';
import { type Attribute, Graph } from '../ir/index.ts';
import { type AttributeKind, attributeKinds, kindOfField } from './attribute-kinds.ts';
import { costs } from './limits.ts';
import { originals, type UnknownField } from './originals.ts';
import { type ReadContext, within } from './read-context.ts';
import { readSparseTensor } from './read-sparse.ts';
import { readTensor } from './read-tensor.ts';
import { readType } from './read-type.ts';
import type { Scope } from './scope.ts';
import { type Range, wireTypes } from './wire-reader.ts';

interface Fields {
  name: string;
  /** AttributeType as it was written; files of the first ONNX versions have none. */
  code: number | undefined;
  /** Value fields that are there. */
  readonly seen: Set<number>;
  float: number;
  int: number | bigint;
  string: Uint8Array;
  readonly floats: number[];
  readonly ints: (number | bigint)[];
  readonly strings: Uint8Array[];
  /** Encoded tensors and graphs: pieces of one for `t` and `g`, one each for `tensors` and `graphs`. */
  readonly messages: Range[];
  docString: string | undefined;
  reference: string | undefined;
  readonly unknown: UnknownField[];
}

/** Walks hand the graphs of an attribute on as arguments of one call; no operator of ONNX takes more than a few. */
const mostGraphs = 10_000;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** AttributeProto of a range. Graphs inside it read the names of `scope`. */
export function readAttribute(context: ReadContext, range: Range, scope: Scope, depth: number): [string, Attribute] {
  const { reader, budget, external } = context;
  budget.spend(costs.attribute);
  const externalBefore = external.count;
  const after = reader.position;
  const fields = emptyFields();
  try {
    const end = range.offset + range.byteLength;
    reader.position = range.offset;
    while (reader.next(end)) readField(context, end, fields);
    if (fields.name === '') throw context.invalid('it has no name');
    const attribute = build(context, fields, range, scope, depth);
    const { name, docString, unknown, code } = fields;
    const isExternal = external.count > externalBefore;
    originals.attributes.set(attribute, { range, name, docString, hasType: code !== undefined, isExternal, unknown });
    reader.position = after;
    return [name, attribute];
  } catch (error) {
    const place = fields.name ? `attribute ${quote(fields.name)}` : `an attribute at byte ${range.offset}`;
    throw within(error, context.file, place, { attribute: fields.name });
  }
}

const emptyFields = (): Fields => ({
  name: '',
  code: undefined,
  seen: new Set(),
  float: 0,
  int: 0,
  string: new Uint8Array(),
  floats: [],
  ints: [],
  strings: [],
  messages: [],
  docString: undefined,
  reference: undefined,
  unknown: [],
});

function readField(context: ReadContext, end: number, fields: Fields): void {
  const { reader } = context;
  if (kindOfField(reader.field)) {
    fields.seen.add(reader.field);
    readValue(context, end, fields);
    return;
  }
  switch (reader.field) {
    case 1:
      fields.name = reader.name(end);
      break;
    case 13:
      fields.docString = reader.string(end);
      break;
    case 20:
      fields.code = reader.int32();
      break;
    case 21:
      fields.reference = reader.name(end) || undefined;
      break;
    default:
      context.budget.spend(costs.range);
      fields.unknown.push({ field: reader.field, range: reader.skip(end) });
  }
}

function readValue(context: ReadContext, end: number, fields: Fields): void {
  const { reader, budget } = context;
  switch (reader.field) {
    case 2:
      fields.float = reader.float32();
      break;
    case 3:
      fields.int = reader.int64();
      break;
    case 4:
      fields.string = reader.bytes(end);
      break;
    case 7:
      readList(context, end, wireTypes.fixed32, () => fields.floats.push(reader.rawFloat32()));
      break;
    case 8:
      readList(context, end, wireTypes.varint, () => fields.ints.push(reader.rawInt64()));
      break;
    case 9:
      budget.spend(costs.string + costs.range);
      fields.strings.push(reader.bytes(end));
      break;
    default:
      fields.messages.push(context.range(end));
  }
}

function readList({ reader, budget }: ReadContext, end: number, loose: number, add: () => void): void {
  const one = (): void => {
    budget.spend(costs.number);
    add();
  };
  if (reader.wireType === wireTypes.bytes) reader.packed(end, one);
  else if (reader.wireType === loose) one();
  else throw reader.error(`field ${reader.field} has wire type ${reader.wireType}, expected ${loose} or 2`);
}

/** What kind of value it is: what it says, and what it holds, must agree. */
function kindOf(context: ReadContext, { code, seen, reference }: Fields): AttributeKind {
  const names = [...seen].map((field) => kindOfField(field)?.name ?? '');
  if (code) {
    const kind = attributeKinds.get(code);
    if (!kind) throw context.invalid(`its type is ${code}, which no version of ONNX defines`);
    const other = [...seen].find((field) => field !== kind.field);
    if (other === undefined) return kind;
    throw context.invalid(`its type is ${kind.name}, but it holds ${names.join(' and ')}`);
  }
  if (seen.size > 1) throw context.invalid(`it holds several values: ${names.join(' and ')}`);
  const [only] = seen;
  const kind = kindOfField(only ?? 0);
  if (kind) return kind;
  if (reference) return attributeKinds.get(2) as AttributeKind;
  throw context.invalid('it has neither a type nor a value');
}

function build(context: ReadContext, fields: Fields, range: Range, scope: Scope, depth: number): Attribute {
  const kind = kindOf(context, fields);
  if (fields.reference) return buildReference(context, fields, kind);
  switch (kind.type) {
    case 'float':
      return { type: 'float', value: fields.float };
    case 'int':
      return { type: 'int', value: fields.int };
    case 'string':
      return { type: 'string', value: text(fields.string) };
    case 'floats':
      return { type: 'floats', value: fields.floats };
    case 'ints':
      return { type: 'ints', value: fields.ints };
    case 'strings':
      return { type: 'strings', value: fields.strings.map(text) };
    default:
      return buildMessages(context, fields.messages, kind, range, scope, depth);
  }
}

function buildReference(context: ReadContext, fields: Fields, kind: AttributeKind): Attribute {
  const parameter = fields.reference as string;
  if (!context.isInFunction)
    throw context.invalid(`it refers to parameter ${quote(parameter)}, but its node is not in a function`);
  if (fields.seen.size > 0) throw context.invalid(`it refers to parameter ${quote(parameter)} and has a value as well`);
  return { type: 'ref', parameter, of: kind.type };
}

function buildMessages(
  context: ReadContext,
  messages: readonly Range[],
  kind: AttributeKind,
  range: Range,
  scope: Scope,
  depth: number,
): Attribute {
  const graph = (pieces: readonly Range[]): Graph => context.readGraph(context, pieces, new Graph(), scope, depth + 1);
  const isList = ['tensors', 'graphs'].includes(kind.type) || kind.field === 23 || kind.field === 15;
  if (messages.length === 0 && !isList) throw context.invalid(`its type is ${kind.name}, but it holds none`);
  switch (kind.type) {
    case 'tensor':
      return { type: 'tensor', value: readTensor(context, messages).tensor };
    case 'tensors':
      return { type: 'tensors', value: messages.map((message) => readTensor(context, [message]).tensor) };
    case 'graph':
      return { type: 'graph', value: graph(messages) };
    case 'graphs':
      if (messages.length > mostGraphs)
        throw context.refused('E_LIMIT_OBJECTS', `it holds ${messages.length} graphs; the limit is ${mostGraphs}`);
      return { type: 'graphs', value: messages.map((message) => graph([message])) };
    default:
      for (const message of messages) checkOpaque(context, message, kind);
      return { type: 'opaque', value: opaqueBytes(context, range) };
  }
}

/** Kinds that are kept encoded are still checked. */
function checkOpaque(context: ReadContext, message: Range, kind: AttributeKind): void {
  if (kind.name.startsWith('SPARSE')) {
    readSparseTensor(context, message);
    return;
  }
  context.reader.position = message.offset;
  readType(context, message.offset + message.byteLength, 4);
}

function opaqueBytes(context: ReadContext, { source, offset, byteLength }: Range): Uint8Array {
  const limit = context.budget.limits.textByteLength;
  if (byteLength <= limit) return readBytes(source, offset, byteLength);
  throw new OptimumError('E_LIMIT_BYTES', `${context.file}: it has ${byteLength} bytes; the limit is ${limit}.`, {
    hint: 'If you trust the file, raise limits.textByteLength of readModel.',
    context: { byteLength, limit, option: 'limits.textByteLength' },
  });
}

/** A string where the bytes are UTF-8, the bytes themselves where they are not. */
function text(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}
