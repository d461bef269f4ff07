import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join, relative, resolve } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

/**
 * Suffixes by which transformers.js tells the element type of an ONNX file.
 * @source huggingface/transformers.js src/utils/dtypes.js
 */
const variantSuffixes = [
  'fp16',
  'quantized',
  'int8',
  'uint8',
  'q8',
  'q4',
  'q4f16',
  'bnb4',
  'q2',
  'q2f16',
  'q1',
  'q1f16',
];

const isVariant = (stem: string): boolean => variantSuffixes.some((suffix) => stem.endsWith(`_${suffix}`));

/** One ONNX file to treat, and where its result goes inside the output. */
export interface SessionFile {
  /** Name of the session: the file name without `.onnx`. */
  readonly name: string;
  readonly input: string;
  /** Path of the result relative to the output folder (or the output file itself for a single model). */
  readonly output: string;
}

/** What a command was pointed at. */
export type ModelInput =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly sessions: readonly SessionFile[];
      readonly defaultOutput: string;
    }
  | {
      readonly kind: 'folder';
      readonly path: string;
      readonly sessions: readonly SessionFile[];
      readonly defaultOutput: string;
      /** Files that go along unchanged (configuration, tokenizer, …), relative to the folder. */
      readonly companions: readonly string[];
      /** ONNX variants that were there and are left where they are. */
      readonly variants: readonly string[];
    };

/**
 * Finds the sessions of a model folder or a single `.onnx` file. Quantized names are those of transformers.js.
 * @param wanted `float`: what is to be quantized; variants that are quantized already are left. `any`: every file, whose
 * result keeps its name
 * @throws E_IO when nothing is there, E_MODEL_NOT_ONNX when a folder holds no ONNX file
 */
export function resolveModelInput(path: string, wanted: 'float' | 'any' = 'float'): ModelInput {
  const full = resolve(path);
  const stats = reading(path, () => statSync(full, { throwIfNoEntry: false }));
  if (!stats) throw new OptimumError('E_IO', `${path}: there is no such file or folder.`, { context: { path } });
  return stats.isDirectory() ? resolveFolder(full, path, wanted) : resolveFile(full, wanted);
}

function resolveFile(path: string, wanted: 'float' | 'any'): ModelInput {
  const stem = path.slice(0, path.length - extname(path).length);
  const output = `${stem}_${wanted === 'float' ? 'quantized' : 'retargeted'}.onnx`;
  return { kind: 'file', path, defaultOutput: output, sessions: [{ name: basename(stem), input: path, output }] };
}

function resolveFolder(path: string, shown: string, wanted: 'float' | 'any'): ModelInput {
  const inner = join(path, 'onnx');
  const inside = existsSync(inner) ? stemsIn(inner) : [];
  const onnxFolder = inside.length > 0 ? inner : path;
  const stems = inside.length > 0 ? inside : stemsIn(path);
  const isLeft = (stem: string): boolean => wanted === 'float' && isVariant(stem);
  const sessions = stems
    .filter((stem) => !isLeft(stem))
    .map((stem) => {
      const input = join(onnxFolder, `${stem}.onnx`);
      const output = wanted === 'float' ? join('onnx', `${stem}_quantized.onnx`) : relative(path, input);
      return { name: stem, input, output };
    });
  if (sessions.length === 0) throw noSessions(shown, stems);
  const companions = listFiles(path).filter((file) => !isWeights(file));
  const variants = stems.filter(isLeft).map((stem) => relative(path, join(onnxFolder, `${stem}.onnx`)));
  const defaultOutput = `${path}-${wanted === 'float' ? 'optimized' : 'retargeted'}`;
  return { kind: 'folder', path, sessions, defaultOutput, companions, variants };
}

/** Names of the ONNX files directly in a folder, without their ending. */
function stemsIn(folder: string): string[] {
  return reading(folder, () => readdirSync(folder))
    .filter((name) => name.endsWith('.onnx') && isFile(join(folder, name)))
    .map((name) => name.slice(0, -'.onnx'.length))
    .sort();
}

function noSessions(path: string, variants: readonly string[]): OptimumError {
  const found =
    variants.length > 0 ? `only variants that are quantized already (${variants.join(', ')})` : 'no .onnx file';
  return new OptimumError(
    'E_MODEL_NOT_ONNX',
    `${path}: this folder holds ${found}, looked for in onnx/ and at the top.`,
    {
      hint: 'Give a folder with onnx/model.onnx in float32, or one .onnx file.',
      context: { path, variants },
    },
  );
}

/** ONNX files, their data, and weights of other frameworks do not go along. */
const isWeights = (file: string): boolean =>
  /\.onnx$|\.onnx_data(_\d+)?$|\.onnx\.data$|\.(safetensors|bin|pt|pth|ckpt|h5|msgpack|gguf|tflite)$/i.test(file);

/** Files below a folder, links to files included. Hidden ones, installed packages and linked folders are left out. */
function listFiles(root: string, folder = ''): string[] {
  return reading(join(root, folder), () => readdirSync(join(root, folder), { withFileTypes: true }))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      if (entry.isDirectory()) return listFiles(root, path);
      return entry.isFile() || (entry.isSymbolicLink() && isFile(join(root, path))) ? [path] : [];
    })
    .sort();
}

/** True for regular files, through links; a link that leads nowhere is none. */
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function reading<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}
