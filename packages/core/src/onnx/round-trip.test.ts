import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../foundation/index.ts';
import { readModel, serializeModel } from './index.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
const zoo = process.env.OPTIMUM_ZOO ?? join(root, '../shared/zoo');
const archives = ['onnx-backend-tests/node.tar.xz', 'onnx-backend-tests/other.tar.xz', 'exports/exports.tar.xz'];
const hasZoo = archives.every((archive) => existsSync(join(zoo, archive)));
if (!hasZoo) console.warn(`skipped: the ONNX backend models are not in ${zoo}; set OPTIMUM_ZOO`);

/** Unpacks an archive once into the temporary folder. */
function unpack(archive: string): string {
  const folder = join(tmpdir(), 'optimum-zoo', archive.replaceAll('/', '-'));
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const staging = mkdtempSync(`${folder}-`);
  execFileSync('tar', ['-xJf', join(zoo, archive), '-C', staging]);
  try {
    renameSync(staging, folder);
  } catch {
    rmSync(staging, { recursive: true });
  }
  return folder;
}

const models = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => join(folder, name));

describe.skipIf(!hasZoo)('round trip', () => {
  it('writes back all 1,951 backend models byte for byte', () => {
    const files = [...models(unpack(archives[0] as string)), ...models(unpack(archives[1] as string))];
    const different = files.filter((file) => !isSame(file));
    expect(files).toHaveLength(1951);
    expect(different).toEqual([]);
  });

  it('writes back the exports byte for byte', () => {
    const files = models(unpack(archives[2] as string));
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
