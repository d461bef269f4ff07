import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { errorOf } from '../../../../tools/fuzz/expect-refused.ts';
import { loadModelSync } from './load-model.ts';
import { openModelFile } from './sniff.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sniff-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const tar = latin1(`${'\0'.repeat(257)}ustar`);

const impostors: readonly (readonly [string, Uint8Array, string, string])[] = [
  ['nothing', new Uint8Array(), 'empty', 'again'],
  [
    'a git-lfs pointer',
    latin1('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
    'a git-lfs pointer',
    'git lfs pull',
  ],
  ['an HTML page', latin1('<!DOCTYPE html>\n<html><body>404</body></html>'), 'an HTML page', 'Download'],
  ['an HTML page with a byte order mark', latin1('\xef\xbb\xbf  <html lang="en">'), 'an HTML page', 'Download'],
  ['an XML error', latin1('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), 'an HTML page', 'Download'],
  ['a JSON error', latin1('{"error":"Repository not found"}'), 'a JSON file', '.onnx'],
  ['a JSON list', latin1('[ { "a": 1 } ]'), 'a JSON file', '.onnx'],
  [
    'a message of the Hub',
    latin1('Entry not found'),
    'text, most likely a message of the server: "Entry not found"',
    'Download',
  ],
  ['a page of text', latin1('Access to this model is restricted.\r\n\tLog in.\n'), 'text', 'logins'],
  ['a pickle', latin1('\x80\x02}q\x00.'), 'a Python pickle', 'Export'],
  ['a pickle of protocol 5', latin1('\x80\x05\x95\x0a'), 'a Python pickle', 'Export'],
  ['a PyTorch archive', latin1('PK\x03\x04\x00\x00'), 'a zip archive', 'Export'],
  ['an empty archive', latin1('PK\x05\x06\x00\x00'), 'a zip archive', 'Export'],
  ['a GGUF file', latin1('GGUF\x03\x00\x00\x00'), 'a GGUF file', 'float32'],
  ['a safetensors file', latin1('\x40\0\0\0\0\0\0\0{"__metadata__":{}}'), 'a safetensors file', 'Export'],
  ['a TensorFlow Lite model', latin1('\x1c\0\0\0TFL3'), 'a TensorFlow Lite model', 'Export'],
  ['a Keras model', latin1('\x89HDF\r\n\x1a\n'), 'an HDF5 file', 'Export'],
  ['a NumPy array', latin1('\x93NUMPY\x01\x00'), 'a NumPy array', '.onnx'],
  ['gzip', latin1('\x1f\x8b\x08\x00'), 'an archive', 'Unpack'],
  ['xz', latin1('\xfd7zXZ\x00'), 'an archive', 'Unpack'],
  ['tar', tar, 'an archive', 'Unpack'],
];

describe('files that are no models', () => {
  it.each(impostors)('%s is recognised', (_name, bytes, what, hint) => {
    const path = join(folder, 'model.onnx');
    writeFileSync(path, bytes);
    const error = errorOf(() => loadModelSync(path));
    expect(error.code).toBe('E_MODEL_NOT_ONNX');
    expect(error.message).toContain(`${path} is not an ONNX model: it is ${what}`);
    expect(error.hint).toContain(hint);
  });

  it.each<[string, string, string, string]>([
    ['a missing file', 'missing', 'E_IO', 'there is no such file'],
    ['a folder', 'sub', 'E_MODEL_NOT_ONNX', 'it is a folder'],
    ['a file in a file', 'file/model.onnx', 'E_IO', 'a part of the path is a file'],
    ['a name with a NUL', 'a\0b', 'E_IO', 'cannot be read'],
    ['a name that is too long', 'n'.repeat(300), 'E_IO', 'the name is too long'],
    ['a link to itself', 'loop', 'E_PATH_LINK', 'symbolic link'],
    ['a link that leads nowhere', 'nowhere', 'E_IO', 'there is no such file'],
    ['a FIFO', 'fifo', 'E_PATH_SPECIAL', 'is a FIFO'],
    ['a device', 'zero', 'E_PATH_SPECIAL', 'is a device'],
  ])('%s says so at once', (_name, name, code, says) => {
    mkdirSync(join(folder, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'file'), 'x');
    rmSync(join(folder, 'loop'), { force: true });
    for (const [link, target] of [
      ['loop', 'loop'],
      ['nowhere', 'gone'],
      ['zero', '/dev/zero'],
    ] as const) {
      rmSync(join(folder, link), { force: true });
      symlinkSync(target, join(folder, link));
    }
    rmSync(join(folder, 'fifo'), { force: true });
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const started = performance.now();
    const error = errorOf(() => loadModelSync(join(folder, name)));
    expect(`${error.code}: ${error.message}`).toContain(says);
    expect(error.code).toBe(code);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('a socket says so', async () => {
    const path = join(folder, 'socket');
    const server = createServer();
    await new Promise<void>((done) => server.listen(path, done));
    expect(errorOf(() => loadModelSync(path)).code).toBe('E_PATH_SPECIAL');
    server.close();
  });
});

describe('files that are models', () => {
  const relu = b.modelOf(b.node('Relu', ['x'], ['y']), b.input('x'), b.output('y'));
  it.each<[string, Uint8Array]>([
    ['as exporters write them', relu],
    ['with the graph first', b.model(b.graph(b.input('x'), b.output('x')))],
    [
      'with a producer whose name looks like a page',
      b.model(b.string(2, '<html>'), b.graph(b.input('x'), b.output('x'))),
    ],
    ['with a producer whose name looks like JSON', b.model(b.string(2, '\0\0\0{"a"'), b.graph(b.input('x')))],
  ])('%s are opened', (_name, bytes) => {
    const path = join(folder, 'good.onnx');
    writeFileSync(path, bytes);
    openModelFile(path).close();
  });
});
