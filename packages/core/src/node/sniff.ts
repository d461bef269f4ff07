import { statSync } from 'node:fs';
import { OptimumError } from '../foundation/index.ts';
import { FileSource } from './file-source.ts';

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** What a file that is not ONNX is, told from its first bytes, and what to do about it. */
const impostors: readonly { readonly test: (head: string) => boolean; readonly what: string; readonly hint: string }[] =
  [
    {
      test: (head) => head.startsWith('version https://git-lfs'),
      what: 'a git-lfs pointer: the real file was not downloaded',
      hint: 'git lfs pull',
    },
    {
      test: (head) => /^\s*<(!doctype|html|\?xml)/i.test(head),
      what: 'an HTML page, most likely an error page',
      hint: 'Download the file again; mind logins and redirects.',
    },
    {
      test: (head) => head.startsWith('PK\x03\x04'),
      what: 'a zip archive (PyTorch .pt and .bin files are such)',
      hint: 'Export the model to ONNX first.',
    },
    {
      test: (head) => head.charCodeAt(0) === 0x80 && head.charCodeAt(1) >= 2 && head.charCodeAt(1) <= 5,
      what: 'a Python pickle, which is never opened because it can run code',
      hint: 'Export the model to ONNX first.',
    },
    {
      test: (head) => head.startsWith('GGUF'),
      what: 'a GGUF file',
      hint: 'Use the float32 ONNX export of this model.',
    },
    {
      test: (head) => head.slice(8, 9) === '{' && /^.{8}\{"/s.test(head),
      what: 'a safetensors file: weights without a graph',
      hint: 'Export the model to ONNX first.',
    },
    { test: (head) => /^\s*[{[]\s*["{[\]}]/.test(head), what: 'a JSON file', hint: 'Give the .onnx file.' },
    {
      test: (head) => head.startsWith('\x1f\x8b') || head.startsWith('\xfd7zXZ'),
      what: 'a compressed archive',
      hint: 'Unpack it first.',
    },
    {
      test: (head) => head.slice(4, 8) === 'TFL3',
      what: 'a TensorFlow Lite model',
      hint: 'Export the model to ONNX first.',
    },
  ];

/**
 * Opens a file that should hold a model. Never waits, whatever the path is.
 * @throws E_MODEL_NOT_ONNX saying what it is instead, E_IO, E_PATH_SPECIAL
 */
export function openModelFile(path: string): FileSource {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory())
    throw notOnnx(path, 'a folder', 'Give a model folder to quantize, or the .onnx file in it.');
  const source = new FileSource(path);
  try {
    checkHead(source);
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

function checkHead(source: FileSource): void {
  if (source.byteLength === 0) throw notOnnx(source.path, 'empty', 'Download or export it again.');
  const head = new Uint8Array(Math.min(256, source.byteLength));
  source.readInto(head, 0);
  const text = latin1(head);
  const impostor = impostors.find(({ test }) => test(text));
  if (impostor) throw notOnnx(source.path, impostor.what, impostor.hint);
}

const notOnnx = (path: string, what: string, hint: string): OptimumError =>
  new OptimumError('E_MODEL_NOT_ONNX', `${path} is not an ONNX model: it is ${what}.`, {
    hint,
    context: { path, what },
  });
