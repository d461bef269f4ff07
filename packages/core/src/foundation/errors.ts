/**
 * Every error code with its process exit code. Codes and exit codes are API: they are only added to in a minor
 * version and only renamed or removed in a major one. Messages are not API.
 */
export const exitCodes = {
  E_USAGE: 2,
  E_CONFIG_SYNTAX: 20,
  E_CONFIG_SCHEMA: 20,
  E_CONFIG_LIMIT: 20,
  E_MODEL_WIRE: 21,
  E_MODEL_INVALID: 21,
  E_MODEL_NOT_ONNX: 21,
  E_UNSUPPORTED_OP: 22,
  E_UNSUPPORTED_OPSET: 22,
  E_UNSUPPORTED_DTYPE: 22,
  E_UNSUPPORTED_FEATURE: 22,
  E_NOTHING_TO_QUANTIZE: 22,
  E_ALREADY_QUANTIZED: 22,
  E_NOTHING_GAINED: 22,
  E_LIMIT_BYTES: 23,
  E_LIMIT_OBJECTS: 23,
  E_LIMIT_DEPTH: 23,
  E_LIMIT_ELEMENTS: 23,
  E_LIMIT_MEMORY: 23,
  E_LIMIT_TIME: 23,
  E_DATA_INVALID: 24,
  E_DATA_MISMATCH: 24,
  E_STATISTICS_INVALID: 24,
  E_STATISTICS_MISMATCH: 24,
  E_GOAL_NOT_MET: 25,
  E_NUMERIC_NAN: 26,
  E_NUMERIC_INF: 26,
  E_NUMERIC_SCALE: 26,
  E_NUMERIC_RANGE: 26,
  E_VERIFY_LOAD: 27,
  E_VERIFY_KERNELS: 27,
  E_VERIFY_NUMERIC: 27,
  E_IO: 30,
  E_OUTPUT_EXISTS: 30,
  E_NO_SPACE: 31,
  E_LOCKED: 32,
  E_PATH_ESCAPE: 35,
  E_PATH_LINK: 35,
  E_PATH_SPECIAL: 35,
  E_BACKEND_MISSING: 40,
  E_BACKEND_INCOMPATIBLE: 41,
  E_BACKEND_CRASHED: 42,
  E_BACKEND_TIMEOUT: 43,
  E_INTERNAL: 70,
  E_INTERRUPTED: 130,
} as const;

export type ErrorCode = keyof typeof exitCodes;

export interface ErrorDetails {
  /** What to do next, in one sentence or one command. */
  readonly hint?: string | undefined;
  /** Facts a program may use: file, byte offset, node, limit, expected and actual. JSON-safe. */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for('optimum.OptimumError');

/** The one error class of the project. `message` says what failed, where, and what was expected and found. */
export class OptimumError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'OptimumError';
    this.code = code;
    this.hint = details.hint;
    this.context = details.context ?? {};
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }

  /** True for errors of any copy of this package: two installed copies have two classes but one brand. */
  static isInstance(value: unknown): value is OptimumError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  toJSON(): { code: ErrorCode; message: string; hint?: string; context: Readonly<Record<string, unknown>> } {
    return { code: this.code, message: this.message, ...(this.hint && { hint: this.hint }), context: this.context };
  }
}

/** An invariant of our own code is broken: never the user's fault. */
export function internalError(message: string, context?: Readonly<Record<string, unknown>>): OptimumError {
  return new OptimumError('E_INTERNAL', message, { context, hint: 'This is a bug in Optimum: please report it.' });
}

/** Throws `E_INTERRUPTED` when the signal is aborted; long loops call it between their steps. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (OptimumError.isInstance(signal.reason)) throw signal.reason;
  throw new OptimumError('E_INTERRUPTED', 'Interrupted before the work was done; nothing was published.', {
    cause: signal.reason,
  });
}
