import { open } from 'node:fs/promises';
import { throwIfAborted } from '../foundation/index.ts';
import { chunkByteLength } from '../ir/index.ts';

/**
 * The bytes of a file, a piece at a time, each valid until the next is asked for: all lie in one buffer. A stream would
 * leave as much memory behind as it reads.
 * @throws E_INTERRUPTED, and errors of the file system as they are
 */
export async function* fileChunks(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(chunkByteLength);
    for (;;) {
      throwIfAborted(signal);
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
