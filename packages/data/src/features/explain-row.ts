import { type OptimumError, quote } from '@optimum/core';
import { dataError, type Place } from '../data-error.ts';
import { didYouMean } from '../near-names.ts';
import { allKnownColumns } from '../rows/known-columns.ts';
import type { Columns, Row } from '../rows/row.ts';
import type { SessionInput, SessionInputs } from '../session-inputs.ts';
import type { Kind } from './assign-inputs.ts';
import type { Feeds } from './feeds.ts';

type Inputs = ReadonlyMap<string, SessionInput>;

const names = (list: Iterable<string>): string => [...list].join(', ');
const quoted = (list: Iterable<string>): string => [...list].map((name) => quote(name)).join(', ');

/** @throws E_DATA_MISMATCH when a column that the user named is not in the row */
export function requireColumns({ fields, place }: Row, given: Columns): void {
  const missing = Object.values(given).find((name) => name !== undefined && !Object.hasOwn(fields, name));
  if (missing === undefined) return;
  const found = Object.keys(fields);
  throw dataError(place, `there is no column ${quote(missing)} (it has ${quoted(found) || 'none'})`, {
    code: 'E_DATA_MISMATCH',
    hint: didYouMean(missing, found),
  });
}

/** A value is given, and made of another one too. */
export const clash = (name: string, column: string, place: Place): OptimumError =>
  dataError(place, `${quote(name)} beside ${quote(column)}: give either ${column} or named tensors`);

export const notTaken = (kind: Kind, inputs: Inputs, place: Place): OptimumError =>
  dataError(place, `the model takes no ${kind} (it has ${names(inputs.keys())})`, {
    code: 'E_DATA_MISMATCH',
    hint: 'Give its inputs as named tensors: JSON lines, Parquet or safetensors.',
  });

/**
 * A sample that no session can be run on would be left out in silence.
 * @throws E_DATA_MISMATCH with the names that are missing, or with one that is likely a mistake
 */
export function requireUse(
  feeds: Feeds,
  sessions: readonly SessionInputs[],
  { fields, place }: Row,
  columns: Columns,
): void {
  const missing = sessions.map(({ inputs }) => inputs.filter(({ name }) => !Object.hasOwn(feeds, name)));
  if (missing.some((inputs) => inputs.length === 0)) return;
  const known = new Set(sessions.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  const used = new Set(Object.values(columns));
  const unknown = Object.keys(fields).find((name) => !known.has(name) && !used.has(name));
  if (unknown !== undefined)
    throw dataError(place, `${quote(unknown)} is no input of the model (it has ${names(known)})`, {
      code: 'E_DATA_MISMATCH',
      hint:
        didYouMean(unknown, [...known, ...allKnownColumns]) ??
        'Rename it, or say which column is text, image or audio.',
    });
  const fewest = missing.reduce((a, b) => (b.length < a.length ? b : a), missing[0] ?? []);
  throw dataError(place, `no value for ${quoted(fewest.map(({ name }) => name))}`, { code: 'E_DATA_MISMATCH' });
}
