import { type Random, seededRandom } from '../../packages/core/src/foundation/index.ts';
import type { Corpus, Seed } from './corpus.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateTree } from './mutate-tree.ts';
import { encode, type Message, parse } from './protobuf-tree.ts';

export interface Mutant {
  readonly bytes: Uint8Array;
  /** The model that it was made of. */
  readonly from: string;
}

const largestMutant = 262_144;

/** Mutant number `ordinal` of a seed: the same on every machine, whatever was made before it. */
export function makeMutant(corpus: Corpus, seed: number, ordinal: number): Mutant {
  const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(ordinal + 1, 0x85ebca6b));
  // Our own models have every feature: they get a share of their own.
  const base = random.next() < 0.2 ? random.pick(corpus.own) : pickSmall(corpus, random);
  if (random.next() < 0.25) return { bytes: mutateBytes(base.bytes, random), from: base.name };
  const bytes = mutateStructure(base, corpus, random);
  // Repeating a large part many times only takes time; stress.test.ts has large models of every shape.
  return { bytes: bytes.length > largestMutant ? mutateBytes(base.bytes, random) : bytes, from: base.name };
}

/** Mostly the smaller of two: the time that a large one takes goes further on small ones. */
function pickSmall({ all }: Corpus, random: Random): Seed {
  const [one, other] = [random.pick(all), random.pick(all)];
  return random.next() < 0.7 && other.bytes.length < one.bytes.length ? other : one;
}

function mutateStructure(base: Seed, corpus: Corpus, random: Random): Uint8Array {
  const root = parse(base.bytes, 'Model');
  let parsed: Message | undefined;
  const donor = (): Message => {
    parsed ??= parse(pickSmall(corpus, random).bytes, 'Model');
    return parsed;
  };
  const count = random.next() < 0.6 ? 1 : 2 + random.integer(3);
  for (let step = 0; step < count; step++) mutateTree(root, random, donor);
  return encode(root);
}
