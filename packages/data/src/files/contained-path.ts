import { realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { OptimumError, printable, quote, relativePathProblem } from '@optimum/core';
import type { Place } from '../data-error.ts';
import { pathError } from './path-error.ts';

/**
 * The real path of a file that data name. The name must be a plain relative path under the rules of POSIX and of
 * Windows, and lead to a place inside of `folder`, through links too: data do not decide what is read of a machine.
 * @throws E_PATH_ESCAPE, E_IO
 */
export function resolveContained(folder: string, name: string, place: Place): string {
  const problem = relativePathProblem(name);
  if (problem) throw escapes(name, problem, place);
  const path = join(folder, name);
  const [root, real] = [realPath(folder), realPath(path)];
  const way = relative(root, real);
  // Between two drives of Windows the way is an absolute path.
  const isInside = way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  if (!isInside) throw escapes(name, `it leads to ${printable(real)}, outside of the folder`, place);
  return real;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw pathError(error, path);
  }
}

const escapes = (name: string, why: string, place: Place): OptimumError =>
  new OptimumError('E_PATH_ESCAPE', `${printable(place.text)}: the file ${quote(name)} is refused: ${why}.`, {
    hint: 'Put the files into the folder of the data, or below it.',
    context: { ...place.context, name: name.slice(0, 4096) },
  });
