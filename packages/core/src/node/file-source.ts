import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type ByteSource, checkRange, OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

/** Longest single read: Node refuses more than 2^31 - 1 bytes at once. */
const longestRead = 1 << 30;

/** The bytes of a file, read where they lie. Close it when nothing reads from it any more. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly byteLength: number;
  readonly stats: Stats;
  #descriptor: number | undefined;

  /** @throws E_IO when it cannot be opened, E_PATH_SPECIAL when it is no regular file */
  constructor(path: string) {
    this.path = path;
    // Not blocking: opening a FIFO would wait for a writer for ever, and could not be interrupted.
    this.#descriptor = attempt(path, () => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
    this.stats = fstatSync(this.#descriptor);
    this.byteLength = this.stats.size;
    if (this.stats.isFile()) return;
    this.close();
    throw special(path, this.stats);
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
      if (count === 0)
        throw new OptimumError('E_IO', `${this.path} became shorter while it was read (at byte ${position + done}).`);
      done += count;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

function special(path: string, stats: Stats): OptimumError {
  const kind = stats.isDirectory()
    ? 'a folder'
    : stats.isFIFO()
      ? 'a FIFO'
      : stats.isSocket()
        ? 'a socket'
        : 'a device';
  return new OptimumError('E_PATH_SPECIAL', `${path} is ${kind}, expected a regular file.`, {
    context: { path, kind },
  });
}
