import { OptimumError, printable } from '@optimum/core';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  ENOTDIR: 'a part of the path is a file',
  ELOOP: 'its symbolic links lead in a circle',
};

/** An error of the file system as E_IO. */
export function pathError(error: unknown, path: string): OptimumError {
  if (OptimumError.isInstance(error)) return error;
  const system = (error as NodeJS.ErrnoException).code ?? '';
  const reason = reasons[system] ?? printable((error as Error).message);
  return new OptimumError('E_IO', `${printable(path)} cannot be read: ${reason}.`, {
    hint: 'Check the path, and who may read it.',
    context: { path, system },
    cause: error,
  });
}
