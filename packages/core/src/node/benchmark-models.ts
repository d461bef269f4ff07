import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { resolveModelInput } from './model-folder.ts';

/** One ONNX file to measure. */
export interface BenchmarkFile {
  /** Short, and of no other one of the files. */
  readonly name: string;
  readonly path: string;
}

/**
 * The ONNX files of paths, in order: a file itself; of a model folder all of them, the float ones first, so that its
 * quantized ones are compared with these.
 * @throws E_USAGE without paths, E_IO when nothing is there, E_MODEL_NOT_ONNX when a folder holds no ONNX file
 */
export function benchmarkFiles(paths: readonly string[]): BenchmarkFile[] {
  if (paths.length === 0) throw new OptimumError('E_USAGE', 'Expected at least one model to measure.');
  const files = paths.flatMap((path) => (isFolder(path) ? filesIn(path) : filesOf(path)));
  const names = files.map((file) => shortName(file, files));
  return files.map((path, index) => {
    const before = names.slice(0, index).filter((name) => name === names[index]).length;
    return { path, name: before === 0 ? (names[index] as string) : `${names[index]} (${before + 1})` };
  });
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const filesOf = (path: string): string[] => resolveModelInput(path).sessions.map(({ input }) => input);

function filesIn(path: string): string[] {
  const folder = [join(path, 'onnx'), path].find((one) => isFolder(one) && onnxIn(one).length > 0);
  return folder ? onnxIn(folder) : filesOf(path);
}

/** `model.onnx` comes before `model_quantized.onnx`. */
const onnxIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.onnx'))
    .sort()
    .map((name) => resolve(folder, name));

/** The file's name, with as many folders as tell it from the other files. */
function shortName(path: string, files: readonly string[]): string {
  const others = files.filter((file) => file !== path);
  const parts = path.split(sep);
  for (let count = 1; count < parts.length; count++) {
    const name = parts.slice(-count).join('/');
    if (!others.some((file) => file.split(sep).slice(-count).join('/') === name)) return name;
  }
  return basename(path);
}
