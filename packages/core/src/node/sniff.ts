import { OptimumError, quote } from '../foundation/index.ts';
import { FileSource } from './file-source.ts';

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** First bytes of gzip, xz, bzip2, zstd and 7-zip. */
const archives = ['\x1f\x8b', '\xfd7zXZ', 'BZh9', '\x28\xb5\x2f\xfd', '7z\xbc\xaf'];

/** What a file that is not ONNX is, told from its first bytes, and what to do about it. */
const impostors: readonly { readonly test: (head: string) => boolean; readonly what: string; readonly hint: string }[] =
  [
    {
      test: (head) => head.startsWith('version https://git-lfs'),
      what: 'a git-lfs pointer: the real file was not downloaded',
      hint: 'git lfs pull',
    },
    {
      test: (head) => /^(\xef\xbb\xbf)?\s*<(!doctype|!--|html|head|body|\?xml|error)/i.test(head),
      what: 'an HTML page, most likely an error page',
      hint: 'Download the file again; mind logins and redirects.',
    },
    {
      test: (head) => head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06'),
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
      // The length of the header comes first, which is below 2^32.
      test: (head) => /^.{4}\0{4}\{\s*"/s.test(head),
      what: 'a safetensors file: weights without a graph',
      hint: 'Export the model to ONNX first.',
    },
    {
      test: (head) => /^(\xef\xbb\xbf)?\s*[{[]\s*["{[\]}]/.test(head),
      what: 'a JSON file',
      hint: 'Give the .onnx file.',
    },
    {
      test: (head) => head.startsWith('\x89HDF\r\n'),
      what: 'an HDF5 file (Keras)',
      hint: 'Export the model to ONNX first.',
    },
    { test: (head) => head.startsWith('\x93NUMPY'), what: 'a NumPy array', hint: 'Give the .onnx file.' },
    {
      test: (head) => archives.some((magic) => head.startsWith(magic)) || head.slice(257, 262) === 'ustar',
      what: 'an archive',
      hint: 'Unpack it first.',
    },
    {
      test: (head) => head.slice(4, 8) === 'TFL3',
      what: 'a TensorFlow Lite model',
      hint: 'Export the model to ONNX first.',
    },
  ];

/** Protobuf has a control character within its first bytes; a page of text has none. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const isText = (head: string): boolean => !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(head);

/**
 * Opens a file that should hold a model. Never waits, whatever the path is.
 * @throws E_MODEL_NOT_ONNX saying what it is instead, E_IO, E_PATH_SPECIAL
 */
export function openModelFile(path: string): FileSource {
  const source = openFile(path);
  try {
    checkHead(source);
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

function openFile(path: string): FileSource {
  try {
    return new FileSource(path);
  } catch (error) {
    if (OptimumError.isInstance(error) && error.context.kind === 'a folder')
      throw notOnnx(path, 'a folder', 'Give a model folder to quantize, or the .onnx file in it.');
    throw error;
  }
}

function checkHead(source: FileSource): void {
  if (source.byteLength === 0) throw notOnnx(source.path, 'empty', 'Download or export it again.');
  const head = new Uint8Array(Math.min(512, source.byteLength));
  source.readInto(head, 0);
  const text = latin1(head);
  const impostor = impostors.find(({ test }) => test(text));
  if (impostor) throw notOnnx(source.path, impostor.what, impostor.hint);
  if (isText(text)) {
    const what = `text, most likely a message of the server: ${quote(text, 60)}`;
    throw notOnnx(source.path, what, 'Download the file again; mind logins and redirects.');
  }
}

const notOnnx = (path: string, what: string, hint: string): OptimumError =>
  new OptimumError('E_MODEL_NOT_ONNX', `${path} is not an ONNX model: it is ${what}.`, {
    hint,
    context: { path, what },
  });
