import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesBelow, unpackZoo } from '../../../../tools/testing/zoo.ts';
import { MemorySource } from '../foundation/index.ts';
import { addNode, Graph, Model, verify } from '../ir/index.ts';
import { readModel, serializeModel } from '../onnx/index.ts';
import { diffModels, formatDiff, parseModel, printModel } from './index.ts';

const backend = [unpackZoo('onnx-backend-tests/node.tar.xz'), unpackZoo('onnx-backend-tests/other.tar.xz')];
const exports = unpackZoo('exports/exports.tar.xz');
const isFolder = (folder: string | undefined): folder is string => folder !== undefined;

/** What goes wrong on the way from a file to text, back, and to text again; `''` when nothing does. */
function roundTripProblem(file: string): string {
  const model = readModel(new MemorySource(readFileSync(file), file));
  const text = printModel(model);
  const parsed = parseModel(text, { name: file });
  const unsound = verify(parsed).map(({ message, at }) => `${at} ${message}`);
  const isStable = printModel(parsed) === text ? [] : ['the second text differs from the first'];
  return [...unsound, ...isStable, formatDiff(diffModels(model, parsed))].filter(Boolean).join('\n');
}

/** As before with all weights in the text, and over a file that is written from it. */
function fileProblem(file: string): string {
  const model = readModel(new MemorySource(readFileSync(file), file));
  const weights = Number.POSITIVE_INFINITY;
  const written = serializeModel(parseModel(printModel(model, { weights }), { name: file }));
  return formatDiff(diffModels(model, readModel(new MemorySource(written, file)), { weights }));
}

function problemsOf(files: readonly string[], problemOf = roundTripProblem): string[] {
  return files.flatMap((file) => {
    try {
      const problem = problemOf(file);
      return problem === '' ? [] : [`${file}: ${problem}`];
    } catch (error) {
      return [`${file}: ${(error as Error).stack}`];
    }
  });
}

/** A type, float tensor, under the name "a": kinds that no pass edits are kept as encoded AttributeProto. */
const opaque = Uint8Array.of(0x0a, 1, 0x61, 0x72, 4, 0x0a, 2, 8, 1, 0xa0, 1, 13);

describe('an opaque attribute that no file gave', () => {
  it.each(['a', 'another'])('is written, and read back as "%s"', (name) => {
    const graph = new Graph('g');
    addNode(graph, 'Optional', { inputs: [], attributes: { [name]: { type: 'opaque', value: opaque } } });
    const model = new Model(graph);
    model.irVersion = 8;
    model.requireOpset('', 15);
    const bytes = serializeModel(model);
    const read = readModel(new MemorySource(bytes, 'opaque.onnx'));
    expect(read.graph.firstNode?.attributes.get(name)?.type).toBe('opaque');
    expect(serializeModel(read)).toEqual(bytes);
    expect(serializeModel(parseModel(printModel(read)))).toEqual(bytes);
  });
});

describe('text of real models', () => {
  it.skipIf(!backend.every(isFolder))('is read back to the same model, for all backend tests', () => {
    const files = backend.filter(isFolder).flatMap((folder) => filesBelow(folder, '.onnx'));
    expect(files.length).toBeGreaterThan(1900);
    expect(problemsOf(files)).toEqual([]);
  });

  it.skipIf(!backend[0])('is whole when nothing is elided: files written from it are the same models', () => {
    expect(problemsOf(filesBelow(backend[0] as string, '.onnx'), fileProblem)).toEqual([]);
  });

  it.skipIf(!exports)('is read back to the same model, for all exports', () => {
    const files = filesBelow(exports as string, '.onnx');
    expect(files.length).toBeGreaterThan(200);
    expect(problemsOf(files)).toEqual([]);
  });
});
