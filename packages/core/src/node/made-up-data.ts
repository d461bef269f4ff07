import { createHash } from 'node:crypto';
import type { Model } from '../ir/index.ts';
import { type Feeds, makeInputs, requiredInputs } from '../pipeline/index.ts';
import type { CalibrationData } from './calibrate.ts';

const seed = 20_260_101;

/** Sizes of the second and third attempts: few positions, then few positions in a batch of one. */
const smallSizes: readonly (readonly [number, number])[] = [
  [4, 2],
  [7, 3],
];

/**
 * Inputs made from a model's signature, smaller at each attempt: a model may have a table of few positions, say, or one
 * batch size. Even and odd ordinals have different sizes of each dynamic dimension.
 */
export function madeUpAttempts(model: Model, ordinal: number): readonly (() => Feeds)[] {
  const variant = ordinal % 2 === 0 ? 0 : 1;
  const made = (sizes: readonly (readonly [string, number])[]) => () =>
    makeInputs(model, { seed: seed + ordinal, variant, sizes: new Map(sizes) });
  const [sequence, past] = smallSizes[variant] as readonly [number, number];
  const small = [['sequence', sequence] as const, ['past', past] as const];
  return [made([]), made(small), made([['batch', 1]]), made([...small, ['batch', 1]])];
}

/** How many ways of making inputs there are to try. */
export const madeUpAttemptCount = 4;

/** Made-up inputs as a data set, all made by the same attempt. Ranges that come of it are a guess. */
export function madeUpData(model: Model, attempt: number, count: number): CalibrationData {
  const signature = requiredInputs(model).map(({ name, elementType, shape }) => ({ name, elementType, shape }));
  const hash = createHash('sha256')
    .update(JSON.stringify(['made up', seed, attempt, signature]))
    .digest('hex');
  return {
    hash,
    source: 'made-up inputs',
    count,
    async *samples() {
      for (let index = 0; index < count; index++) {
        const make = madeUpAttempts(model, index)[attempt];
        if (make) yield { index, feeds: make() };
      }
    },
  };
}
