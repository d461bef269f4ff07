import { existsSync } from 'node:fs';
import { OptimumError, printable, readBytes } from '@optimum/core';
import { FileSource } from '@optimum/core/node';
import { messageOf } from '../data-error.ts';

/** Tokenizers of large vocabularies have some 30 MB. */
const longestFile = 256e6;

/** All bytes of a regular file. @throws E_IO, E_PATH_SPECIAL, E_LIMIT_BYTES past `limit` */
export function readWhole(path: string, limit: number = longestFile): Uint8Array {
  const source = new FileSource(path);
  try {
    if (source.byteLength > limit)
      throw new OptimumError(
        'E_LIMIT_BYTES',
        `${printable(path)} has ${source.byteLength} bytes; at most ${limit} are read.`,
        { context: { path, byteLength: source.byteLength, limit } },
      );
    return readBytes(source, 0, source.byteLength);
  } finally {
    source.close();
  }
}

/** The JSON in a file. @throws E_CONFIG_SYNTAX, and as readWhole */
export function readJson(path: string): unknown {
  const text = new TextDecoder().decode(readWhole(path));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OptimumError('E_CONFIG_SYNTAX', `${printable(path)} is not JSON: ${messageOf(error)}.`, {
      hint: 'Download it again.',
      context: { path },
      cause: error,
    });
  }
}

/** The JSON object in a file, or an empty one when there is no such file. @throws as readObject */
export const readSettings = (path: string): Readonly<Record<string, unknown>> =>
  existsSync(path) ? readObject(path) : {};

/** The JSON object in a file. @throws as readJson */
export function readObject(path: string): Readonly<Record<string, unknown>> {
  const json = readJson(path);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new OptimumError('E_CONFIG_SYNTAX', `${printable(path)} is no JSON object.`, {
    hint: 'Download it again.',
    context: { path },
  });
}
