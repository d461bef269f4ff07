import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';
import { FileSource } from './file-source.ts';

/**
 * The one door to files that a model names (external data). The name must be a plain relative path under the rules of
 * POSIX and of Windows, and the file must lie in the folder of the model, or in that of the file that the model is a
 * link to (the layout of the Hugging Face cache).
 * @throws E_PATH_ESCAPE, E_PATH_SPECIAL, E_IO
 */
export function openContained(modelPath: string, location: string): FileSource {
  const problem = lexicalProblem(location);
  if (problem) throw pathEscape(modelPath, location, problem);
  const path = join(dirname(modelPath), location);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    throw fileError(error, path, 'read');
  }
  const roots = [dirname(resolve(modelPath)), dirname(realpathSync(modelPath))].map((root) => realpathSync(root));
  if (!roots.some((root) => isInside(root, real)) && !isCacheBlob(modelPath, real)) {
    throw pathEscape(modelPath, location, `it leads to ${real}, outside the model's folder`);
  }
  return new FileSource(real);
}

/** Why a name is no plain relative path, or `undefined`. */
export function lexicalProblem(location: string): string | undefined {
  if (location === '' || location.length > 4096) return 'the name is empty or too long';
  if (location.includes('\0')) return 'the name holds a NUL';
  if (/^[a-zA-Z]:/.test(location)) return 'the name starts with a drive';
  if (/^[\\/]/.test(location)) return 'the name is absolute';
  if (location.split(/[\\/]/).includes('..')) return 'the name goes up with ".."';
  return undefined;
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !way.startsWith(`..${sep}`) && way !== '..' && resolve(root, way) === path;
}

/** In the Hub's cache, model and data are links into one folder of blobs. */
const isCacheBlob = (modelPath: string, real: string): boolean => dirname(realpathSync(modelPath)) === dirname(real);

const pathEscape = (modelPath: string, location: string, why: string): OptimumError =>
  new OptimumError(
    'E_PATH_ESCAPE',
    `${modelPath} names external data "${location.slice(0, 200)}", which is refused: ${why}.`,
    {
      hint: 'Put the data file beside the model, or do not trust this model.',
      context: { modelPath, location },
    },
  );
