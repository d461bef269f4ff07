import { type ByteSource, OptimumError } from '../foundation/index.ts';
import { type Attribute, Graph, Model, type ModelFunction, type OpsetImport } from '../ir/index.ts';
import { Budget, defaultLimits, type ReadLimits } from './limits.ts';
import { originals, type UnknownField } from './originals.ts';
import { readAttribute } from './read-attribute.ts';
import { GraphReader } from './read-graph.ts';
import { type OpenExternal, readEntry } from './read-tensor.ts';
import { nested } from './read-type.ts';
import { Scope } from './scope.ts';
import { type Range, WireReader } from './wire-reader.ts';

export interface ReadOptions {
  /** Opens the files that external data names. Without it a model with external data is refused. */
  readonly openExternal?: OpenExternal | undefined;
  readonly limits?: Partial<ReadLimits> | undefined;
}

/**
 * Reads an ONNX model. Weights are not read: they stay byte ranges of the source (or of its external data) until
 * somebody asks. What this version does not know is kept and written back.
 * @throws E_MODEL_WIRE (not protobuf), E_MODEL_INVALID (not a sound model), E_LIMIT_*, E_UNSUPPORTED_DTYPE
 */
export function readModel(source: ByteSource, options: ReadOptions = {}): Model {
  const budget = new Budget({ ...defaultLimits, ...options.limits }, source.byteLength);
  const context = new GraphReader(new WireReader(source), budget, options.openExternal);
  const model = new Model(new Graph());
  const parts = readFields(context, model, source.byteLength);
  if (parts.graphs.length === 0) {
    throw new OptimumError('E_MODEL_INVALID', `${source.name}: there is no graph in it.`, {
      hint: 'It is not an ONNX model, or it was cut short; export or download it again.',
    });
  }
  if (model.opsetImports.length === 0 && (model.irVersion ?? 0) >= 3)
    throw context.invalid('the model imports no opset');
  context.readGraph(parts.graphs, model.graph, undefined, 1);
  for (const range of parts.functions) model.functions.push(readFunction(context, range));
  originals.models.set(model, { unknown: parts.unknown });
  return model;
}

interface Parts {
  readonly graphs: Range[];
  readonly functions: Range[];
  readonly unknown: UnknownField[];
}

function readFields(context: GraphReader, model: Model, end: number): Parts {
  const { reader } = context;
  const parts: Parts = { graphs: [], functions: [], unknown: [] };
  while (reader.next(end)) {
    context.budget.object();
    switch (reader.field) {
      case 1:
        model.irVersion = Number(reader.int64());
        break;
      case 2:
        model.producerName = reader.string(end);
        break;
      case 3:
        model.producerVersion = reader.string(end);
        break;
      case 4:
        model.domain = reader.string(end);
        break;
      case 5:
        model.modelVersion = reader.int64();
        break;
      case 6:
        model.docString = reader.string(end);
        break;
      case 7:
        parts.graphs.push(reader.range(end));
        break;
      case 8:
        model.opsetImports.push(readOpsetImport(context, reader.range(end)));
        break;
      case 14:
        readEntry(reader, nested(reader, end), model.metadata);
        break;
      case 25:
        parts.functions.push(reader.range(end));
        break;
      default:
        parts.unknown.push({ field: reader.field, range: reader.skip(end) });
    }
  }
  return parts;
}

function readOpsetImport({ reader }: GraphReader, range: Range): OpsetImport {
  const after = reader.position;
  const end = range.offset + range.byteLength;
  let domain = '';
  let version = 0;
  reader.position = range.offset;
  while (reader.next(end)) {
    if (reader.field === 1) domain = reader.string(end);
    else if (reader.field === 2) version = Number(reader.int64());
    else reader.skip(end);
  }
  reader.position = after;
  const entry: OpsetImport = { domain, version };
  originals.opsetImports.set(entry, range);
  return entry;
}

function readFunction(context: GraphReader, range: Range): ModelFunction {
  const { reader } = context;
  const end = range.offset + range.byteLength;
  const scope = new Scope(reader.source.name);
  const body = new Graph();
  const nodes: Range[] = [];
  const valueInfo: Range[] = [];
  const outputs: string[] = [];
  const attributes: string[] = [];
  const attributeDefaults = new Map<string, Attribute>();
  const opsetImports: OpsetImport[] = [];
  const names = { name: '', domain: '', overload: undefined as string | undefined };
  reader.position = range.offset;
  while (reader.next(end)) {
    context.budget.object();
    switch (reader.field) {
      case 1:
        names.name = reader.string(end);
        break;
      case 4:
        body.addInput(scope.declare(reader.string(end)));
        break;
      case 5:
        outputs.push(reader.string(end));
        break;
      case 6:
        attributes.push(reader.string(end));
        break;
      case 7:
        nodes.push(reader.range(end));
        break;
      case 8:
        body.docString = reader.string(end);
        break;
      case 9:
        opsetImports.push(readOpsetImport(context, reader.range(end)));
        break;
      case 10:
        names.domain = reader.string(end);
        break;
      case 11: {
        const last = nested(reader, end);
        attributeDefaults.set(...readAttribute(context, last, scope, 1));
        reader.position = last;
        break;
      }
      case 12:
        valueInfo.push(reader.range(end));
        break;
      case 13:
        names.overload = reader.string(end);
        break;
      default:
        reader.skip(end);
    }
  }
  context.readNodes(nodes, body, scope, 1);
  for (const name of outputs) {
    const value = scope.own(name);
    if (!value) throw context.invalid(`output "${name}" of function ${names.name} is made by no node`);
    body.addOutput(value);
  }
  context.readValueInfos(valueInfo, scope);
  const result: ModelFunction = { ...names, body, attributes, attributeDefaults, opsetImports };
  originals.functions.set(result, { range, revision: body.revision });
  return result;
}
