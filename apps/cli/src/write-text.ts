import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { OptimumError } from '@optimum/core';

/** Writes a text file, whole or not at all; one that exists is replaced. @throws E_IO */
export function writeText(path: string, text: string): void {
  const staged = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(staged, text, { flag: 'wx' });
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw new OptimumError('E_IO', `${path} cannot be written: ${(error as Error).message}.`, {
      cause: error,
      context: { path },
    });
  }
}
