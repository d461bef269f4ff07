import type { Corpus } from './corpus.ts';
import { judge } from './judge.ts';
import { makeMutant } from './mutant.ts';

export interface Failure {
  readonly ordinal: number;
  readonly from: string;
  readonly what: string;
  readonly bytes: Uint8Array;
}

export interface FuzzReport {
  readonly count: number;
  readonly accepted: number;
  /** How often each code was the answer. */
  readonly refused: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly slowest: { readonly ordinal: number; readonly from: string; readonly milliseconds: number };
  readonly seconds: number;
  readonly residentMegabytes: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  /** Told before each mutant, so that a watcher knows which one is at work. */
  readonly onMutant?: ((ordinal: number, bytes: Uint8Array) => void) | undefined;
}

const mostFailures = 20;

/** Judges mutants `first … first + count - 1` of a seed. */
export function fuzz(corpus: Corpus, { seed, first, count, onMutant }: FuzzOptions): FuzzReport {
  const refused: Record<string, number> = {};
  const failures: Failure[] = [];
  let accepted = 0;
  let slowest = { ordinal: first, from: '', milliseconds: 0 };
  let resident = 0;
  const started = performance.now();
  for (let ordinal = first; ordinal < first + count; ordinal++) {
    const { bytes, from } = makeMutant(corpus, seed, ordinal);
    onMutant?.(ordinal, bytes);
    const before = performance.now();
    const verdict = judge(bytes);
    const milliseconds = performance.now() - before;
    if (milliseconds > slowest.milliseconds) slowest = { ordinal, from, milliseconds };
    if (verdict.kind === 'accepted') accepted++;
    else if (verdict.kind === 'refused') refused[verdict.code] = (refused[verdict.code] ?? 0) + 1;
    else if (failures.length < mostFailures) failures.push({ ordinal, from, what: verdict.what, bytes });
    if (ordinal % 256 === 0) resident = Math.max(resident, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - started) / 1000;
  return { count, accepted, refused, failures, slowest, seconds, residentMegabytes: Math.round(resident / 2 ** 20) };
}
