import { OptimumError } from '../foundation/index.ts';
import type { ReadLimits } from './limits.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws E_MODEL_INVALID for bytes that are not UTF-8: guessing would make distinct names one */
export function decodeText(bytes: Uint8Array, file: string, offset: number, field: number): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new OptimumError('E_MODEL_INVALID', `${file}: a name or text at byte ${offset} is not valid UTF-8.`, {
      hint: 'ONNX names are UTF-8: export the model again with such names.',
      context: { file, offset, field },
    });
  }
}

export function tooLong(
  file: string,
  what: string,
  byteLength: number,
  offset: number,
  option: keyof ReadLimits,
  limit: number,
): OptimumError {
  const message = `${file}: a ${what} of ${byteLength} bytes at byte ${offset}; the limit is ${limit}.`;
  return new OptimumError('E_LIMIT_BYTES', message, {
    hint: `If you trust the file, raise limits.${option} of readModel.`,
    context: { file, offset, byteLength, option: `limits.${option}`, limit },
  });
}

/** Numbers inside ±2^53, bigints outside. */
export const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
