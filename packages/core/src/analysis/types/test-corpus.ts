import { filesBelow, unpackZoo, zooPaths } from '../../../../../tools/testing/zoo.ts';
import { MemorySource } from '../../foundation/index.ts';
import {
  type Dim,
  formatType,
  type Graph,
  graphsOf,
  type Model,
  type Value,
  type ValueType,
  walkValues,
} from '../../ir/index.ts';
import { readModel } from '../../onnx/index.ts';
import type { TypeInference } from './infer-types.ts';

/** Files of the zoo by their names in it; `undefined` where the zoo is not there. */
export function zooModels(): ReadonlyMap<string, string> | undefined {
  const folders = zooPaths('models', 'own');
  const exports = unpackZoo('exports/exports.tar.xz');
  if (!folders || !exports) return undefined;
  const named = (folder: string, prefix: string) =>
    filesBelow(folder, '.onnx').map((file) => [prefix + file.slice(folder.length + 1), file] as const);
  const [models = '', own = ''] = folders;
  return new Map([...named(models, 'models/'), ...named(own, 'own/'), ...named(exports, 'exports/')]);
}

/** A model from the bytes of a file, which only tests may read. */
export const modelOfBytes = (bytes: Uint8Array, file: string): Model => readModel(new MemorySource(bytes, file));

/** Takes away what the model declares of node outputs, and returns it. */
export function undeclare(model: Model): Map<Value, ValueType> {
  const declared = new Map<Value, ValueType>();
  for (const value of walkValues(model)) {
    if (value.origin.kind !== 'output' || !value.type) continue;
    declared.set(value, value.type);
    value.type = undefined;
  }
  return declared;
}

/** `name type` of every node output and every input of a subgraph, with the place of the subgraph before it. */
export function typeLines(graph: Graph, inference: TypeInference, path = ''): string[] {
  const line = (value: Value): string => `${path}${value.name} ${formatType(inference.typeOf(value))}`;
  const lines = path === '' ? [] : graph.inputs.map(line);
  let index = 0;
  for (const node of graph.nodes()) {
    for (const value of node.outputs) if (value) lines.push(line(value));
    for (const [name, attribute] of node.attributes) {
      const [inner] = attribute.type === 'graph' ? graphsOf(attribute) : [];
      if (inner) lines.push(...typeLines(inner, inference, `${path}${index}.${name}/`));
    }
    index++;
  }
  return lines;
}

export interface Agreement {
  /** Element types, and dimensions of shapes of the same rank. */
  same: number;
  /** Not inferred, but declared. */
  unknown: number;
  /** Another symbol, or a number for a symbol, which may be the same size. */
  otherName: number;
  readonly contradictions: string[];
}

/** Counts what is inferred against what a model declares. */
export function compareTypes(
  result: Agreement,
  name: string,
  declared: ValueType,
  inferred: ValueType | undefined,
): void {
  if (declared.kind !== 'tensor') return;
  const other = inferred?.kind === 'tensor' ? inferred : undefined;
  const fail = () => result.contradictions.push(`${name}: ${formatType(declared)}, inferred ${formatType(inferred)}`);
  if (!other?.elementType) result.unknown++;
  else if (other.elementType !== declared.elementType) fail();
  else result.same++;
  if (!declared.shape) return;
  if (!other?.shape) result.unknown += declared.shape.length;
  else if (other.shape.length !== declared.shape.length) fail();
  else declared.shape.forEach((dim, axis) => compareDims(result, dim, other.shape?.[axis] ?? null, fail));
}

function compareDims(result: Agreement, declared: Dim, inferred: Dim, fail: () => void): void {
  if (declared === inferred) result.same++;
  else if (inferred === null) result.unknown++;
  else if (typeof declared === 'number' && typeof inferred === 'number') fail();
  else result.otherName++;
}
