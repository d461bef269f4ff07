import { expect } from 'vitest';
import { type ErrorCode, MemorySource, OptimumError } from '../../packages/core/src/foundation/index.ts';
import { type ReadOptions, readModel } from '../../packages/core/src/onnx/index.ts';

/** A row of a table of malformed models: what it is, its bytes, the code, and what the message must say of the place. */
export type Refusal = readonly [what: string, bytes: Uint8Array, code: ErrorCode, place: string];

export const fileName = 'bad.onnx';

export const read = (bytes: Uint8Array, options?: ReadOptions) => readModel(new MemorySource(bytes, fileName), options);

/** The typed error of an action, or a failed test. */
export function errorOf(action: () => unknown): OptimumError {
  try {
    action();
  } catch (error) {
    if (OptimumError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('expected an OptimumError, but nothing was thrown');
}

/** Reading must fail with the code, and with a message that names the file and the place. */
export function expectRefused([, bytes, code, place]: Refusal, options?: ReadOptions): void {
  const error = errorOf(() => read(bytes, options));
  expect(`${error.code}: ${error.message}`).toContain(place);
  expect(error.code).toBe(code);
  expect(error.message).toContain(fileName);
  expect(error.context.file).toBe(fileName);
  expect(() => JSON.stringify(error)).not.toThrow();
}
