import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesBelow, unpackZoo } from '../../../../tools/testing/zoo.ts';
import { MemorySource } from '../foundation/index.ts';
import { readModel, serializeModel } from './index.ts';

const backend = [unpackZoo('onnx-backend-tests/node.tar.xz'), unpackZoo('onnx-backend-tests/other.tar.xz')];
const exports = unpackZoo('exports/exports.tar.xz');
const isFolder = (folder: string | undefined): folder is string => folder !== undefined;

describe('round trip', () => {
  it.skipIf(!backend.every(isFolder))('writes back all 1,951 backend models byte for byte', () => {
    const files = backend.filter(isFolder).flatMap((folder) => filesBelow(folder, '.onnx'));
    expect(files).toHaveLength(1951);
    expect(files.filter((file) => !isSame(file))).toEqual([]);
  });

  it.skipIf(!exports)('writes back the exports byte for byte', () => {
    const files = filesBelow(exports as string, '.onnx');
    expect(files.length).toBeGreaterThan(200);
    expect(files.filter((file) => !isSame(file))).toEqual([]);
  });
});

function isSame(file: string): boolean {
  const bytes = readFileSync(file);
  try {
    return Buffer.compare(serializeModel(readModel(new MemorySource(bytes, file))), bytes) === 0;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}
