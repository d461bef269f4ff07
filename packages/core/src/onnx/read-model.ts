import type { ByteSource } from '../foundation/index.ts';
import { Graph, Model } from '../ir/index.ts';
import { checkFunctions } from './check-functions.ts';
import { Budget, type ReadLimits } from './limits.ts';
import { originals, type UnknownField } from './originals.ts';
import { ReadContext } from './read-context.ts';
import { ExternalFiles, type OpenExternal } from './read-external.ts';
import { readFunction } from './read-function.ts';
import { readGraph } from './read-graph.ts';
import { checkOpsets, readOpsetImport } from './read-opset.ts';
import { type Range, WireReader } from './wire-reader.ts';

export interface ReadOptions {
  /** Opens the files that external data names. Without it a model with external data is refused. */
  readonly openExternal?: OpenExternal | undefined;
  readonly limits?: Partial<ReadLimits> | undefined;
}

/** The latest that this version was written for. @source onnx.proto, Version */
export const newestIrVersion = 14;

/**
 * Reads an ONNX model. Weights are not read: they stay byte ranges of the source (or of its external data) until
 * somebody asks. What this version does not know is kept and written back.
 * @throws E_MODEL_WIRE (not protobuf), E_MODEL_INVALID (not a sound model), E_LIMIT_*, E_UNSUPPORTED_*
 */
export function readModel(source: ByteSource, options: ReadOptions = {}): Model {
  const budget = new Budget(options.limits ?? {}, source.byteLength, source.name);
  const external = new ExternalFiles(options.openExternal, budget, source.name);
  const context = new ReadContext(new WireReader(source, budget.limits), budget, external, readGraph);
  const model = new Model(new Graph());
  const parts = readFields(context, model, source.byteLength);
  checkHeader(context, model, parts);
  readGraph(context, parts.graphs, model.graph, undefined, 1);
  for (const range of parts.functions) model.functions.push(readFunction(context, range));
  checkFunctions(context, model.functions);
  if ((model.irVersion ?? 0) >= 3) {
    checkOpsets(context, model.opsetImports, model.graph);
    for (const body of model.functions) checkOpsets(context, body.opsetImports, body.body);
  }
  external.checkOverlaps();
  originals.models.set(model, { unknown: parts.unknown });
  return model;
}

interface Parts {
  readonly graphs: Range[];
  readonly functions: Range[];
  readonly unknown: UnknownField[];
}

function readFields(context: ReadContext, model: Model, end: number): Parts {
  const { reader } = context;
  const parts: Parts = { graphs: [], functions: [], unknown: [] };
  while (reader.next(end)) readField(context, end, model, parts);
  return parts;
}

function readField(context: ReadContext, end: number, model: Model, parts: Parts): void {
  const { reader } = context;
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
      parts.graphs.push(context.range(end));
      break;
    case 8:
      model.opsetImports.push(readOpsetImport(context, context.range(end)));
      break;
    case 14:
      context.metadata(end, model.metadata);
      break;
    case 25:
      parts.functions.push(context.range(end));
      break;
    default:
      parts.unknown.push({ field: reader.field, range: skip(context, end) });
  }
}

function skip(context: ReadContext, end: number): Range {
  const range = context.reader.skip(end);
  context.budget.spend(1);
  return range;
}

const notOnnx = 'It is not an ONNX model, or it was cut short; export or download it again.';

function checkHeader(context: ReadContext, model: Model, parts: Parts): void {
  const { irVersion } = model;
  if (parts.graphs.length === 0) throw context.invalid('there is no graph in it', notOnnx);
  if (irVersion === undefined || irVersion < 1)
    throw context.invalid(`its ir_version is ${irVersion ?? 'missing'}, expected 1 or more`, notOnnx);
  if (irVersion > newestIrVersion) {
    throw context.refused(
      'E_UNSUPPORTED_FEATURE',
      `its ir_version is ${irVersion}; this version knows up to ${newestIrVersion}`,
      'Update Optimum, or export the model with an earlier version of ONNX.',
      { expected: newestIrVersion, actual: irVersion },
    );
  }
  if (model.opsetImports.length === 0 && irVersion >= 3)
    throw context.invalid('it imports no opset', 'Export the model again; without an opset operators have no meaning.');
}
