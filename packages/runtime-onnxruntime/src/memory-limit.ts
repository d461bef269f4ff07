import { readdirSync, readFileSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { ModelSource } from '@optimum/core';

/** What the library, its arena and activations may need beside the weights. */
const besideWeights = 2 * 1024 ** 3;

/** Part of the memory of the machine (or of the container) that a session may have. */
const largestPart = 0.8;

/** The limit for a session when none is given: four times the model and 2 GiB, at most 80 % of the memory there is. */
export function defaultMemoryLimit(model: ModelSource): number {
  return Math.min(4 * modelByteLength(model) + besideWeights, largestPart * memoryHere());
}

/** Bytes of a model with all that could be its external data. */
function modelByteLength(model: ModelSource): number {
  const own = 'path' in model ? sizeOf(model.path) : model.bytes.byteLength;
  const folder = 'path' in model ? dirname(model.path) : model.folder;
  return own + (folder === undefined ? 0 : dataIn(folder, 'bytes' in model));
}

/** @param isSlim that weights may lie inside a model file of the folder, too: in one of them */
function dataIn(folder: string, isSlim: boolean): number {
  try {
    const names = readdirSync(folder);
    const sizes = (isModel: boolean): number[] =>
      names.filter((name) => name.endsWith('.onnx') === isModel).map((name) => sizeOf(join(folder, name)));
    const models = isSlim ? Math.max(0, ...sizes(true)) : 0;
    return models + sizes(false).reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function memoryHere(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Resident bytes of a process on Linux; elsewhere the operating system's own limits have to do. */
export function residentBytes(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
