import {
  accessSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { type ByteSink, OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

/** The calls by which output is made, in one place so that tests can make each of them fail. */
export const outputCalls = {
  accessSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
};

/** Further tries of a call that a signal cut short. */
const interruptedRetries = 100;

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The result of a call; it is made again when a signal interrupts it. Errors stay those of the system. */
export function retrying<T>(call: () => T): T {
  for (let tries = 0; ; tries++) {
    try {
      return call();
    } catch (error) {
      if (codeOf(error) !== 'EINTR' || tries === interruptedRetries) throw error;
    }
  }
}

/** The result of a call that works on `path`. @throws E_IO, E_NO_SPACE */
export function writing<T>(path: string, call: () => T): T {
  try {
    return retrying(call);
  } catch (error) {
    throw fileError(error, path, 'write');
  }
}

/** Writes all bytes at a position, however few the system takes at once. @throws E_IO, E_NO_SPACE */
export function writeFully(descriptor: number, path: string, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength; ) {
    const count = writing(path, () =>
      outputCalls.writeSync(descriptor, bytes, done, bytes.byteLength - done, position + done),
    );
    // No error and no progress: going on would never end.
    if (count === 0) throw new OptimumError('E_IO', `${path} takes no more bytes (at byte ${position + done}).`);
    done += count;
  }
}

/** A new file that is written at positions. The final size is set first: a disk that is too full says so at once. */
export class FileSink implements ByteSink {
  readonly name: string;
  #descriptor: number | undefined;

  /** @throws E_IO also when the file exists, E_NO_SPACE */
  constructor(path: string, byteLength: number) {
    this.name = path;
    this.#descriptor = writing(path, () => outputCalls.openSync(path, 'wx+'));
    this.#orClose((descriptor) => writing(path, () => outputCalls.ftruncateSync(descriptor, byteLength)));
  }

  writeAt(bytes: Uint8Array, position: number): void {
    this.#orClose((descriptor) => writeFully(descriptor, this.name, bytes, position));
  }

  /** Makes the bytes durable and closes the file. @throws E_IO, E_NO_SPACE: some systems only say so here */
  finish(): void {
    this.#orClose((descriptor) => writing(this.name, () => outputCalls.fsyncSync(descriptor)));
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeDescriptor(descriptor, this.name);
  }

  /** Lets go of the file as it is; harmless when it is closed already. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor === undefined) return;
    try {
      closeDescriptor(descriptor, this.name);
    } catch {
      // Only reached after a failure, which is the news.
    }
  }

  #orClose(action: (descriptor: number) => void): void {
    if (this.#descriptor === undefined) throw new OptimumError('E_INTERNAL', `${this.name} is closed already.`);
    try {
      action(this.#descriptor);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/** A descriptor is gone even when its close was interrupted: it must not be closed again, it may be another file's. */
function closeDescriptor(descriptor: number, path: string): void {
  try {
    outputCalls.closeSync(descriptor);
  } catch (error) {
    if (codeOf(error) !== 'EINTR') throw fileError(error, path, 'write');
  }
}
