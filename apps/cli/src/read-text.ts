import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { OptimumError } from '@optimum/core';

/** Longest text file that is read: a JavaScript string ends at 512 MB. */
const longestText = 256e6;

/** The text of a regular file, without a byte order mark. @throws E_IO, E_PATH_SPECIAL, E_LIMIT_BYTES */
export function readText(path: string): string {
  let descriptor: number;
  try {
    // Not blocking: opening a FIFO would wait for a writer for ever.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new OptimumError('E_IO', `${path} cannot be read: ${why}.`, { cause: error, context: { path } });
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile())
      throw new OptimumError('E_PATH_SPECIAL', `${path} is ${stats.isDirectory() ? 'a folder' : 'no regular file'}.`, {
        context: { path },
      });
    if (stats.size > longestText)
      throw new OptimumError('E_LIMIT_BYTES', `${path} has ${stats.size} bytes, at most ${longestText} are read.`, {
        hint: 'Give fewer samples.',
        context: { path, byteLength: stats.size, limit: longestText },
      });
    return readFileSync(descriptor, 'utf8').replace(/^\uFEFF/, '');
  } finally {
    closeSync(descriptor);
  }
}

/** The JSON in a file. @throws E_CONFIG_SYNTAX naming it, and as readText */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OptimumError('E_CONFIG_SYNTAX', `${path} is not JSON: ${(error as Error).message}.`, {
      cause: error,
      context: { path },
    });
  }
}
