import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { ByteSink } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

/** The calls by which output is written, in one place so that tests can make each of them fail. */
export const outputCalls = { openSync, ftruncateSync, writeSync, fsyncSync, closeSync };

/** A new file that is written at positions. The final size is set first: a disk that is too full says so at once. */
export class FileSink implements ByteSink {
  readonly name: string;
  #descriptor: number | undefined;

  constructor(path: string, byteLength: number) {
    this.name = path;
    this.#descriptor = this.#attempt(() => outputCalls.openSync(path, 'wx+'));
    const descriptor = this.#descriptor;
    this.#attempt(() => outputCalls.ftruncateSync(descriptor, byteLength));
  }

  writeAt(bytes: Uint8Array, position: number): void {
    const descriptor = this.#descriptor as number;
    for (let done = 0; done < bytes.byteLength; ) {
      done += this.#attempt(() =>
        outputCalls.writeSync(descriptor, bytes, done, bytes.byteLength - done, position + done),
      );
    }
  }

  /** Makes the bytes durable and closes the file. */
  finish(): void {
    const descriptor = this.#descriptor as number;
    this.#attempt(() => outputCalls.fsyncSync(descriptor));
    this.close();
  }

  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) outputCalls.closeSync(descriptor);
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.close();
      throw fileError(error, this.name, 'write');
    }
  }
}
