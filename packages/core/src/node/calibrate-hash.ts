import { createHash } from 'node:crypto';
import { type Model, walkValues } from '../ir/index.ts';
import type { ObservationRequest } from '../observe/index.ts';
import { fileChunks } from './file-chunks.ts';
import { fileError } from './file-error.ts';

/**
 * SHA-256 over the bytes of a model file and of its external data, in the order in which the model names it. Reads in
 * the background, so that sessions can work meanwhile.
 * @throws E_IO, E_INTERRUPTED by way of the signal
 */
export async function hashModel(path: string, model: Model, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  // Before anything is awaited: the caller may edit the model meanwhile.
  const files = new Set([path, ...dataFiles(model)]);
  for (const file of files) {
    try {
      for await (const chunk of fileChunks(file, signal)) hash.update(chunk);
    } catch (error) {
      throw fileError(error, file, 'read');
    }
  }
  return hash.digest('hex');
}

/** Files that hold weights of a model, each once. */
export function dataFiles(model: Model): string[] {
  const files = new Set<string>();
  for (const { origin } of walkValues(model)) {
    const tensor =
      origin.kind === 'initializer' ? origin.tensor : origin.kind === 'input' ? origin.fallback : undefined;
    if (tensor?.backing.kind === 'range' && tensor.backing.source.path) files.add(tensor.backing.source.path);
  }
  return [...files];
}

/** SHA-256 of merged requests. */
export const hashRequests = (requests: readonly ObservationRequest[]): string =>
  createHash('sha256').update(JSON.stringify(requests)).digest('hex');
