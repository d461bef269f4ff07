import type { TensorData } from '../backend/index.ts';
import type { Model } from '../ir/index.ts';
import { type Case, type Feeds, makeInputs, requiredInputs } from '../pipeline/index.ts';
import type { ShapeSizes } from './bound-shapes.ts';
import { madeUpAttempts } from './made-up-data.ts';

const seed = 20_260_101;

/** Made-up inputs, in two sizes of each dynamic dimension by turns. */
export const madeCases = (model: Model, ordinals: readonly number[]): Case[] =>
  ordinals.map((ordinal) => ({ label: `made-up inputs ${ordinal + 1}`, attempts: madeUpAttempts(model, ordinal) }));

/** The user's samples that this session takes. */
export function givenCases(model: Model, data: readonly Readonly<Record<string, TensorData>>[]): Case[] {
  const names = requiredInputs(model).map(({ name }) => name ?? '');
  return data
    .map((feeds, index) => ({ label: `sample ${index + 1} of the data`, attempts: [() => feeds], feeds }))
    .filter(({ feeds }) => names.every((name) => name in feeds))
    .map(({ label, attempts }) => ({ label, attempts, isGiven: true }));
}

/**
 * What models are timed on: the sizes that are asked for, else 128 tokens, the size by which int8 Transformers are usually
 * compared, or as many as fit.
 */
export function timedAttempts(model: Model, { batch, sequence }: ShapeSizes = {}): (() => Feeds)[] {
  const sequences = [...(sequence === undefined ? [] : [sequence]), 128, 64, 32];
  const batches = batch === undefined ? [] : [['batch', batch] as const];
  return sequences.map(
    (tokens) => () => makeInputs(model, { seed, variant: 0, sizes: new Map([['sequence', tokens], ...batches]) }),
  );
}
