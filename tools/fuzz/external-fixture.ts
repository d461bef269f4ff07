import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { ErrorCode } from '../../packages/core/src/foundation/index.ts';
import { loadModelSync } from '../../packages/core/src/node/load-model.ts';
import * as b from './build.ts';
import { errorOf } from './expect-refused.ts';

/** What a tensor says of its external data. */
export type Entries = Readonly<Record<string, string>>;

const weight = (name: string, entries: Entries): Uint8Array => b.initializer(name, 1, [4], b.external(entries));

/** A model with weights w0, w1, … of 16 bytes each in other files. */
export const externalModel = (...entries: readonly Entries[]): Uint8Array =>
  b.modelOf(...entries.map((each, index) => weight(`w${index}`, each)), b.output('w0', b.tensorType(1, [4])));

/** Per test: `root/secret`, and `root/models` with the file `data` of the bytes 0 to 63. */
export function externalFixture() {
  const place = { root: '', folder: '' };
  beforeEach(() => {
    place.root = mkdtempSync(join(tmpdir(), 'external-'));
    place.folder = join(place.root, 'models');
    mkdirSync(place.folder);
    writeFileSync(join(place.root, 'secret'), new Uint8Array(64).fill(255));
    const numbers = Uint8Array.from({ length: 64 }, (_, index) => index);
    writeFileSync(join(place.folder, 'data'), numbers);
  });
  afterEach(() => rmSync(place.root, { recursive: true, force: true }));
  const put = (...entries: readonly Entries[]): string => {
    const path = join(place.folder, 'model.onnx');
    writeFileSync(path, externalModel(...entries));
    return path;
  };
  return {
    place,
    put,
    expectRefused: (path: string, code: ErrorCode, says: string) => refuse(place.root, path, code, says),
  };
}

/** Loading fails with the code and a message that names model and tensor, within a second; nothing is written. */
function refuse(root: string, path: string, code: ErrorCode, says: string): void {
  const before = snapshot(root);
  const started = performance.now();
  const error = errorOf(() => loadModelSync(path));
  expect(`${error.code}: ${error.message}`).toContain(says);
  expect(error.code).toBe(code);
  expect(error.message).toContain('model.onnx');
  expect(error.message).toContain('w0');
  expect(performance.now() - started).toBeLessThan(1000);
  expect(snapshot(root)).toEqual(before);
}

/** Everything below the root with its content. */
const snapshot = (root: string): string[] =>
  (readdirSync(root, { recursive: true }) as string[]).sort().map((name) => {
    const path = join(root, name);
    const content = lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    return `${name} ${content}`;
  });

/** The bytes of one weight of a model on disk. */
export function bytesAt(path: string, index = 0): number[] {
  const loaded = loadModelSync(path);
  const value = [...loaded.model.graph.initializers][index];
  const bytes = value?.origin.kind === 'initializer' ? [...value.origin.tensor.bytes()] : [];
  loaded.close();
  return bytes;
}
