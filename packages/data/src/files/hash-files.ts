import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { fileChunks } from '@optimum/core/node';
import { pathError } from './path-error.ts';

/**
 * SHA-256, hexadecimal, over names and bytes of files. The name is relative to `folder`; a single file counts by its bytes
 * alone, so that it may be renamed.
 * @throws E_IO, E_INTERRUPTED
 */
export async function hashFiles(files: readonly string[], folder: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    try {
      // Lengths keep names and bytes of neighbours apart.
      if (files.length > 1) hash.update(`${JSON.stringify(nameIn(folder, file))}:${statSync(file).size}:`);
      for await (const chunk of fileChunks(file, signal)) hash.update(chunk);
    } catch (error) {
      throw pathError(error, file);
    }
  }
  return hash.digest('hex');
}

const nameIn = (folder: string, file: string): string =>
  (relative(folder, file) || basename(file)).replaceAll('\\', '/');
