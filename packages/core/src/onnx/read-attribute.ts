import { type Attribute, Graph, type Tensor } from '../ir/index.ts';
import { originals } from './originals.ts';
import type { GraphReader } from './read-graph.ts';
import { readTensor } from './read-tensor.ts';
import { nested } from './read-type.ts';
import type { Scope } from './scope.ts';
import { type Range, wireTypes } from './wire-reader.ts';

/** Attribute kinds by their number. @source onnx.proto, AttributeProto.AttributeType */
const kinds = [
  undefined,
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
  'opaque',
  'opaque',
  'opaque',
  'opaque',
] as const;

interface Fields {
  name: string;
  kind: (typeof kinds)[number];
  float: number;
  int: number | bigint;
  string: Uint8Array;
  tensor: Tensor | undefined;
  graphs: Graph[];
  floats: number[];
  ints: (number | bigint)[];
  strings: Uint8Array[];
  tensors: Tensor[];
  docString: string | undefined;
  reference: string | undefined;
  hasType: boolean;
  opaque: boolean;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** AttributeProto from the reader's position to `end`. Graphs inside it read the names of `scope`. */
export function readAttribute(context: GraphReader, end: number, scope: Scope, depth: number): [string, Attribute] {
  const { reader, budget } = context;
  budget.object();
  const range: Range = { source: reader.source, offset: reader.position, byteLength: end - reader.position };
  const fields = readFields(context, end, scope, depth);
  const attribute = build(fields, range, context);
  originals.attributes.set(attribute, { range, docString: fields.docString, hasType: fields.hasType });
  return [fields.name, attribute];
}

function readFields(context: GraphReader, end: number, scope: Scope, depth: number): Fields {
  const fields: Fields = {
    name: '',
    kind: undefined,
    float: 0,
    int: 0,
    string: new Uint8Array(),
    tensor: undefined,
    graphs: [],
    floats: [],
    ints: [],
    strings: [],
    tensors: [],
    docString: undefined,
    reference: undefined,
    hasType: false,
    opaque: false,
  };
  while (context.reader.next(end)) readField(context, end, scope, depth, fields);
  return fields;
}

function readField(context: GraphReader, end: number, scope: Scope, depth: number, fields: Fields): void {
  const { reader, budget } = context;
  const tensor = (): Tensor => readTensor(reader, nested(reader, end), budget, context.openExternal).tensor;
  const graph = (): Graph => context.readGraph([reader.range(end)], new Graph(), scope, depth + 1);
  switch (reader.field) {
    case 1:
      fields.name = reader.string(end, budget.limits.nameByteLength);
      break;
    case 2:
      fields.float = reader.float32();
      infer(fields, 'float');
      break;
    case 3:
      fields.int = reader.int64();
      infer(fields, 'int');
      break;
    case 4:
      fields.string = reader.bytes(end);
      infer(fields, 'string');
      break;
    case 5:
      fields.tensor = tensor();
      infer(fields, 'tensor');
      break;
    case 6:
      fields.graphs = [graph()];
      infer(fields, 'graph');
      break;
    case 7:
      readList(context, end, () => reader.float32(), 4, fields.floats);
      infer(fields, 'floats');
      break;
    case 8:
      readList(context, end, () => reader.int64(), 0, fields.ints);
      infer(fields, 'ints');
      break;
    case 9:
      fields.strings.push(reader.bytes(end));
      infer(fields, 'strings');
      break;
    case 10:
      fields.tensors.push(tensor());
      infer(fields, 'tensors');
      break;
    case 11:
      fields.graphs.push(graph());
      infer(fields, 'graphs');
      break;
    case 13:
      fields.docString = reader.string(end);
      break;
    case 20: {
      const kind = reader.int32();
      fields.hasType = true;
      if (kind !== 0) fields.kind = kinds[kind] ?? 'opaque';
      break;
    }
    case 21:
      fields.reference = reader.string(end) || undefined;
      break;
    default:
      fields.opaque ||= [14, 15, 22, 23].includes(reader.field);
      reader.skip(end);
  }
}

/** Files of the first ONNX versions say no type; it follows from the field that is there. */
function infer(fields: Fields, kind: Fields['kind']): void {
  if (!fields.hasType) fields.kind = kind;
}

function readList<T extends number | bigint>(
  context: GraphReader,
  end: number,
  one: () => T,
  width: 0 | 4,
  list: T[],
): void {
  const { reader, budget } = context;
  if (reader.wireType !== wireTypes.bytes) {
    list.push(one());
    budget.object();
    return;
  }
  const last = nested(reader, end);
  for (; reader.position < last; budget.object())
    list.push((width === 4 ? reader.rawFloat32() : reader.rawInt64()) as T);
}

function build(fields: Fields, range: Range, context: GraphReader): Attribute {
  if (fields.reference) return { type: 'ref', parameter: fields.reference, of: fields.kind ?? 'int' };
  switch (fields.kind) {
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
    case 'tensors':
      return { type: 'tensors', value: fields.tensors };
    case 'graphs':
      return { type: 'graphs', value: fields.graphs };
    case 'tensor':
      if (fields.tensor) return { type: 'tensor', value: fields.tensor };
      break;
    case 'graph':
      if (fields.graphs[0]) return { type: 'graph', value: fields.graphs[0] };
      break;
    case 'opaque':
      return { type: 'opaque', value: context.bytesOf(range) };
    case undefined:
      if (fields.opaque || range.byteLength > 0) return { type: 'opaque', value: context.bytesOf(range) };
  }
  throw context.invalid(`attribute "${fields.name}" says ${fields.kind}, but holds none`);
}

/** A string where the bytes are UTF-8, the bytes themselves where they are not. */
function text(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}
