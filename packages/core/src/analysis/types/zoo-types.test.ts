import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesBelow, unpackZoo } from '../../../../../tools/testing/zoo.ts';
import { formatType, type Model, walkNodes } from '../../ir/index.ts';
import golden from './golden/python-types.json' with { type: 'json' };
import reviews from './golden/reviews-bert-256.json' with { type: 'json' };
import { inferTypes } from './infer-types.ts';
import { type Agreement, compareTypes, modelOfBytes, typeLines, undeclare, zooModels } from './test-corpus.ts';
import { valuesByName } from './test-model.ts';

const models = zooModels();
const archives = ['node', 'other'].map((name) => [name, unpackZoo(`onnx-backend-tests/${name}.tar.xz`)] as const);
const hasBackendTests = archives.every(([, folder]) => folder !== undefined);

const hash = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);

const loaded = new Map<string, Model>();

/** Models are read once for all tests, which leave them as they are. */
function load(file: string): Model {
  const model = loaded.get(file) ?? modelOfBytes(readFileSync(file), file);
  loaded.set(file, model);
  return model;
}

/** Fingerprint of all types of a file, as Python gives them. */
function fingerprint(file: string): string {
  const model = load(file);
  return hash(typeLines(model.graph, inferTypes(model, { mode: 'onnx' })).sort());
}

describe('mode onnx', () => {
  it.skipIf(!models)('gives the types of Python for every model and export of the zoo', () => {
    const hashes: Readonly<Record<string, string>> = golden.hashes;
    const different = [...(models ?? [])].filter(([name, file]) => hashes[name] !== fingerprint(file));
    expect(different.map(([name]) => name)).toEqual([]);
    expect(models?.size).toBe(221);
  });

  it.skipIf(!models)('gives them value by value for the example model', () => {
    const model = load(models?.get('own/reviews-bert-256/onnx/model.onnx') as string);
    const inference = inferTypes(model, { mode: 'onnx' });
    const values = valuesByName(model);
    const types = Object.keys(reviews.types).map((name) => {
      const value = values.get(name);
      return [name, formatType(value && inference.typeOf(value))];
    });
    expect(Object.fromEntries(types)).toEqual(reviews.types);
  });

  it.skipIf(!hasBackendTests)('gives the types of Python for all 1,951 backend models', () => {
    for (const [name, folder = ''] of archives) {
      const lines = filesBelow(folder, '.onnx').map((file) => `${file.slice(folder.length + 1)} ${fingerprint(file)}`);
      expect(hash(lines.sort())).toBe(
        (golden.hashes as Readonly<Record<string, string>>)[`onnx-backend-tests/${name}`],
      );
    }
  });
});

interface Shares {
  values: number;
  elements: number;
  ranks: number;
  dims: number;
  knownDims: number;
}

/** How much is known of the node outputs of some files. */
function sharesOf(files: Iterable<string>): Shares {
  const shares: Shares = { values: 0, elements: 0, ranks: 0, dims: 0, knownDims: 0 };
  for (const file of files) {
    const model = load(file);
    const inference = inferTypes(model);
    expect(inference.diagnostics).toEqual([]);
    for (const node of walkNodes(model)) {
      for (const value of node.outputs) {
        const type = value && inference.typeOf(value);
        const tensor = type?.kind === 'tensor' ? type : undefined;
        shares.values++;
        if (tensor?.elementType) shares.elements++;
        if (tensor?.shape) shares.ranks++;
        shares.dims += tensor?.shape?.length ?? 0;
        shares.knownDims += tensor?.shape?.filter((dim) => dim !== null).length ?? 0;
      }
    }
  }
  return shares;
}

describe('mode data', () => {
  it.skipIf(!models)('types every value of the models and exports of the zoo', () => {
    const shares = sharesOf(models?.values() ?? []);
    expect(shares.values).toBe(69_654);
    expect(shares.elements).toBe(shares.values);
    expect(shares.ranks).toBe(shares.values);
    // Measured: 0.9909. What is missing are the lengths that strided convolutions make of symbolic ones.
    expect(shares.knownDims / shares.dims).toBeGreaterThan(0.99);
  });

  it.skipIf(!models)('finds from the inputs alone what exporters declare', () => {
    const result: Agreement = { same: 0, unknown: 0, otherName: 0, contradictions: [] };
    for (const file of models?.values() ?? []) {
      const model = modelOfBytes(readFileSync(file), file);
      const declared = undeclare(model);
      const inference = inferTypes(model);
      for (const [value, type] of declared)
        compareTypes(result, `${file} ${value.name}`, type, inference.typeOf(value));
    }
    expect(result.contradictions).toEqual([]);
    // Measured: 36,882 the same, 2,388 with another symbol or a number, 576 not known.
    expect(result.same).toBeGreaterThanOrEqual(36_882);
    expect(result.unknown).toBeLessThanOrEqual(576);
  });
});
