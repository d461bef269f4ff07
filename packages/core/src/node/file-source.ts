import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type ByteSource, checkRange, OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

/** Longest single read: Node refuses more than 2^31 - 1 bytes at once. */
const longestRead = 1 << 30;

export interface FileSourceOptions {
  /** False where the path is already the real one, so that a link that appears in its place is not followed. */
  readonly followLinks?: boolean;
}

/** The bytes of a file, read where they lie. Close it when nothing reads from it any more. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly byteLength: number;
  readonly stats: Stats;
  #descriptor: number | undefined;

  /** @throws E_IO when it cannot be opened, E_PATH_SPECIAL when it is no regular file, E_PATH_LINK */
  constructor(path: string, options: FileSourceOptions = {}) {
    this.path = path;
    // Looked at before it is opened: opening some devices does something.
    requireFile(
      path,
      attempt(path, () => statSync(path)),
    );
    this.#descriptor = attempt(path, () => openSync(path, openFlags(options.followLinks ?? true)));
    try {
      const descriptor = this.#descriptor;
      this.stats = attempt(path, () => fstatSync(descriptor));
      requireFile(path, this.stats);
      this.byteLength = this.stats.size;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get name(): string {
    return this.path;
  }

  readInto(target: Uint8Array, position: number): void {
    checkRange(this, position, target.byteLength);
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new OptimumError('E_INTERNAL', `${this.path} was closed and is read again.`);
    for (let done = 0; done < target.byteLength; ) {
      const length = Math.min(longestRead, target.byteLength - done);
      const count = attempt(this.path, () => readSync(descriptor, target, done, length, position + done));
      if (count === 0) throw shorter(this.path, position + done, this.byteLength);
      done += count;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Not blocking: opening a FIFO would wait for a writer for ever, and could not be interrupted. */
const openFlags = (followLinks: boolean): number =>
  constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (followLinks ? 0 : (constants.O_NOFOLLOW ?? 0));

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

function shorter(path: string, offset: number, byteLength: number): OptimumError {
  return new OptimumError(
    'E_IO',
    `${path} became shorter while it was read: it had ${byteLength} bytes and ends at byte ${offset} now.`,
    { hint: 'Nothing else may write to it meanwhile; start again.', context: { path, offset, byteLength } },
  );
}

function requireFile(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? 'a folder'
    : stats.isFIFO()
      ? 'a FIFO'
      : stats.isSocket()
        ? 'a socket'
        : 'a device';
  throw new OptimumError('E_PATH_SPECIAL', `${path} is ${kind}, expected a regular file.`, {
    hint: 'Copy what it gives into a file and name that.',
    context: { path, kind },
  });
}
