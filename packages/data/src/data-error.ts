import { type ErrorCode, OptimumError, printable } from '@optimum/core';

/** Where something is in the data, for people (`reviews.jsonl:3`) and for programs. */
export interface Place {
  readonly text: string;
  readonly context: Readonly<Record<string, string | number>>;
}

/** A line of a text file, counted from 1. */
export const placeOfLine = (path: string, line: number): Place => ({
  text: `${path}:${line}`,
  context: { path, line },
});

/** A row of a file without lines, counted from 0 as in the tools that write such files. */
export const placeOfRow = (path: string, row: number): Place => ({
  text: `${path}, row ${row}`,
  context: { path, row },
});

export const placeOfFile = (path: string): Place => ({ text: path, context: { path } });

export interface DataErrorDetails {
  /** @defaultValue E_DATA_INVALID */
  readonly code?: ErrorCode;
  readonly hint?: string | undefined;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * `PLACE: WHAT.`: E_DATA_INVALID when the data are broken in themselves, E_DATA_MISMATCH when they do not fit the model.
 */
export function dataError(place: Place, what: string, details: DataErrorDetails = {}): OptimumError {
  const { code = 'E_DATA_INVALID', hint, context, cause } = details;
  return new OptimumError(code, `${printable(place.text)}: ${printable(what)}.`, {
    hint,
    context: { ...place.context, ...context },
    cause,
  });
}

/** An error with the place in front, unless it says the place already; what is no error of ours becomes one. */
export function withPlace(error: unknown, place: Place): OptimumError {
  if (!OptimumError.isInstance(error)) return dataError(place, messageOf(error), { cause: error });
  if (error.message.includes(place.text)) return error;
  return new OptimumError(error.code, `${printable(place.text)}: ${error.message}`, {
    hint: error.hint,
    context: { ...place.context, ...error.context },
    cause: error,
  });
}

/** The message of a library's error as it may stand inside of ours: short, and without a full stop of its own. */
export const messageOf = (error: unknown): string =>
  printable((error instanceof Error ? error.message : String(error)).slice(0, 300)).replace(/\.$/, '');

/** A value of the data as it may stand in a message: JSON where there is one, cut when it is long. */
export function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value);
  const text = ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : JSON.stringify(value, bigIntAsText);
  return printable(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

const bigIntAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
