import { lstatSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { OptimumError, quote, relativePathProblem } from '../foundation/index.ts';
import { fileError } from './file-error.ts';
import { FileSource } from './file-source.ts';

/**
 * The one door to files that a model names (external data). The name must be a plain relative path under the rules of
 * POSIX and of Windows, and the file must lie in the folder of the model, or in that of the file that the model is a
 * link to (the layout of the Hugging Face cache). Hard links are let through: package stores make them.
 * @throws E_PATH_ESCAPE, E_PATH_SPECIAL, E_PATH_LINK, E_IO
 */
export function openContained(modelPath: string, location: string): FileSource {
  const problem = relativePathProblem(location);
  if (problem) throw pathEscape(modelPath, location, problem);
  const path = join(dirname(modelPath), location);
  const real = realPath(path, modelPath, location);
  requireInside(modelPath, location, real);
  // The real path is opened without following links, and looked at again: what was checked must be what is read.
  const source = new FileSource(real, { followLinks: false });
  try {
    requireSame(source, realPath(path, modelPath, location), modelPath, location);
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

function realPath(path: string, modelPath: string, location: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code, message, hint, context } = fileError(error, path, 'read');
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new OptimumError(code, `${modelPath} keeps data in ${quote(location)}: ${message}`, {
      hint: isMissing ? 'Put that file beside the model: it holds the weights.' : hint,
      context: { ...context, modelPath, location },
      cause: error,
    });
  }
}

function requireInside(modelPath: string, location: string, real: string): void {
  const realModel = realPath(resolve(modelPath), modelPath, location);
  const roots = [realPath(dirname(resolve(modelPath)), modelPath, location), dirname(realModel)];
  if (!roots.some((root) => isInside(root, real)))
    throw pathEscape(modelPath, location, `it leads to ${real}, outside the model's folder`);
  if (real === realModel)
    throw new OptimumError('E_MODEL_INVALID', `${modelPath} names itself as its external data (${quote(location)}).`, {
      hint: 'The file is damaged; export or download it again.',
      context: { modelPath, location },
    });
}

function requireSame(source: FileSource, real: string, modelPath: string, location: string): void {
  const found = lstatSync(real, { throwIfNoEntry: false });
  const isSame = real === source.path && found?.dev === source.stats.dev && found.ino === source.stats.ino;
  if (!isSame) throw pathEscape(modelPath, location, 'it was replaced while it was opened');
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  // Between two drives of Windows the way is an absolute path.
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

const pathEscape = (modelPath: string, location: string, why: string): OptimumError =>
  new OptimumError('E_PATH_ESCAPE', `${modelPath} names external data ${quote(location)}, which is refused: ${why}.`, {
    hint: 'Put the data file beside the model, or do not trust this model.',
    context: { modelPath, location: location.slice(0, 4096) },
  });
