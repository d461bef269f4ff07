import { type ErrorCode, OptimumError, printable } from '../foundation/index.ts';

const reasons: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  ENOENT: ['E_IO', 'there is no such file or folder', 'Check the path.'],
  EACCES: ['E_IO', 'permission is denied', 'Check who may read and write it.'],
  EPERM: ['E_IO', 'the operation is not permitted', 'Check who may read and write it.'],
  EROFS: ['E_IO', 'the file system is read-only', 'Choose another place with -o.'],
  EISDIR: ['E_IO', 'it is a folder', 'Name a file.'],
  ENOTDIR: ['E_IO', 'a part of the path is a file', 'Check the path.'],
  ENAMETOOLONG: ['E_IO', 'the name is too long', 'Choose a shorter one with -o.'],
  EMFILE: ['E_IO', 'too many files are open', 'Raise the limit (ulimit -n).'],
  ELOOP: ['E_PATH_LINK', 'it is a symbolic link that may not be followed', 'Name the file itself.'],
  ENXIO: ['E_PATH_SPECIAL', 'it is a socket or a device', 'Name a regular file.'],
  ENOSPC: ['E_NO_SPACE', 'the disk is full', 'Free some space, or choose another place with -o.'],
  EDQUOT: ['E_NO_SPACE', 'the disk quota is used up', 'Free some space, or choose another place with -o.'],
};

/** An error of the file system as one of ours: what was tried, where, why it failed, what to do. */
export function fileError(error: unknown, path: string, action: 'read' | 'write'): OptimumError {
  if (OptimumError.isInstance(error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const [own, why, hint] = reasons[code] ?? ['E_IO', (error as Error).message, undefined];
  const tried = action === 'read' ? 'read' : 'written';
  return new OptimumError(own as ErrorCode, `${printable(path)} cannot be ${tried}: ${printable(why)}.`, {
    // Only what is written can go elsewhere.
    hint: action === 'read' && hint?.includes('-o') ? undefined : hint,
    cause: error,
    context: { path, action, system: code },
  });
}
