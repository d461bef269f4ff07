import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { errorOf } from '../../../../tools/fuzz/expect-refused.ts';
import { join as joinBytes, varintBytes } from '../../../../tools/fuzz/protobuf-tree.ts';
import { FileSource } from './file-source.ts';
import { loadModelSync } from './load-model.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-source-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file of holes with some bytes in it; `false` where the file system has no holes that large. */
function sparseFile(path: string, byteLength: number, pieces: readonly (readonly [number, Uint8Array])[]): boolean {
  const descriptor = openSync(path, 'w');
  try {
    ftruncateSync(descriptor, byteLength);
    for (const [position, bytes] of pieces) writeSync(descriptor, bytes, 0, bytes.length, position);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

const gibibyte = 2 ** 30;

describe('large files', () => {
  it('external data of 3 GiB is read where it lies', (context) => {
    const elements = (3 * gibibyte) / 4;
    if (!sparseFile(join(folder, 'data'), 3 * gibibyte + 64, [[3 * gibibyte + 60, b.raw(1, 2, 3, 4)]])) context.skip();
    const path = join(folder, 'model.onnx');
    const small = b.initializer('last', 1, [1], b.external({ location: 'data', offset: String(3 * gibibyte + 60) }));
    writeFileSync(path, b.modelOf(b.initializer('w', 1, [elements], b.external({ location: 'data' })), small));
    const before = process.memoryUsage.rss();
    const { model, close } = loadModelSync(path);
    const [large, last] = [...model.graph.initializers].map(({ origin }) =>
      origin.kind === 'initializer' ? origin.tensor : undefined,
    );
    expect(large?.byteLength).toBe(3 * gibibyte);
    expect([...(last?.bytes() ?? [])]).toEqual([1, 2, 3, 4]);
    const source = large?.backing.kind === 'range' ? large.backing.source : undefined;
    const window = new Uint8Array(1 << 20);
    for (const position of [0, 2 ** 31 - 512, 3 * gibibyte - window.length]) source?.readInto(window, position);
    close();
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  });

  it('a model file past 2 GiB is read', (context) => {
    const byteLength = 2 * gibibyte + 4096;
    const fields = (data: Uint8Array): Uint8Array =>
      joinBytes([b.varint(1, byteLength), b.varint(2, 3), b.string(8, 'w'), data]);
    const prefix = (field: number, length: number): Uint8Array =>
      joinBytes([varintBytes(BigInt(field * 8 + 2)), varintBytes(BigInt(length))]);
    const tensor = fields(prefix(9, byteLength));
    const inGraph = joinBytes([prefix(5, tensor.length + byteLength), tensor]);
    const after = b.output('w', b.tensorType(3, [byteLength]));
    const head = joinBytes([b.varint(1, 8), b.opset(), prefix(7, inGraph.length + byteLength + after.length), inGraph]);
    const path = join(folder, 'model.onnx');
    const end = head.length + byteLength;
    if (
      !sparseFile(path, end + after.length, [
        [0, head],
        [end - 1, b.raw(7)],
        [end, after],
      ])
    )
      context.skip();
    const before = process.memoryUsage.rss();
    const { model, close } = loadModelSync(path);
    const [value] = model.graph.initializers;
    const tensorRead = value?.origin.kind === 'initializer' ? value.origin.tensor : undefined;
    expect(model.graph.outputs[0]).toBe(value);
    expect(tensorRead?.byteLength).toBe(byteLength);
    const last = new Uint8Array(1);
    if (tensorRead?.backing.kind === 'range')
      tensorRead.backing.source.readInto(last, tensorRead.backing.offset + byteLength - 1);
    expect(last[0]).toBe(7);
    close();
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  });
});

describe('a file that changes', () => {
  it('says so when it became shorter', () => {
    const path = join(folder, 'data');
    writeFileSync(path, b.zeros(100));
    const source = new FileSource(path);
    truncateSync(path, 50);
    const error = errorOf(() => source.readInto(new Uint8Array(100), 0));
    expect(error.code).toBe('E_IO');
    expect(error.message).toContain('had 100 bytes and ends at byte 50');
    source.close();
  });

  it.each([
    [-1, 1],
    [0, 101],
    [100, 1],
    [Number.NaN, 1],
    [0.5, 1],
    [2 ** 53, 1],
  ])('refuses the range %d + %d', (position, length) => {
    const path = join(folder, 'data');
    writeFileSync(path, b.zeros(100));
    const source = new FileSource(path);
    expect(errorOf(() => source.readInto(new Uint8Array(length), position)).code).toBe('E_MODEL_WIRE');
    source.close();
    source.close();
  });
});
