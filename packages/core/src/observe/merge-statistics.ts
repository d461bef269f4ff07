import { OptimumError } from '../foundation/index.ts';
import { mergeObservations } from './merge-observations.ts';
import type { TensorObservation } from './observation.ts';
import type { DataShard, SessionStatistics, Statistics } from './statistics.ts';

type Ranges = DataShard['ranges'];

/**
 * Statistics of several runs or machines as one; the same whatever the order.
 * @throws E_STATISTICS_MISMATCH for different models or requests, and for samples that both have
 */
export function mergeStatistics(all: readonly Statistics[]): Statistics {
  const names = [...new Set(all.flatMap(({ sessions }) => Object.keys(sessions)))].sort();
  const of = (name: string): SessionStatistics[] => all.flatMap(({ sessions }) => ownOf(sessions, name));
  return {
    version: 1,
    sessions: Object.fromEntries(names.map((name) => [name, mergeSessionStatistics(of(name), name)])),
  };
}

/** The same for one session. */
export function mergeSessionStatistics(all: readonly SessionStatistics[], name = 'model'): SessionStatistics {
  const [first] = all;
  if (!first) throw new OptimumError('E_STATISTICS_MISMATCH', `Session "${name}": there are no statistics to merge.`);
  for (const other of all.slice(1)) {
    requireSame(name, 'model', first.model, other.model);
    requireSame(name, 'observations', first.requests, other.requests);
  }
  const tensors = [...new Set(all.flatMap((one) => Object.keys(one.tensors)))].sort();
  const observed = (tensor: string): TensorObservation[] => all.flatMap((one) => ownOf(one.tensors, tensor));
  return {
    model: first.model,
    requests: first.requests,
    data: mergeShards(
      all.flatMap(({ data }) => data),
      name,
    ),
    samples: all.reduce((sum, { samples }) => sum + samples, 0),
    tensors: Object.fromEntries(
      tensors.map((tensor) => [tensor, observed(tensor).reduce((a, b) => mergeObservations(a, b, tensor))]),
    ),
  };
}

/** What stands under a name, if anything does: a tensor may be called `constructor`. */
const ownOf = <T>(record: Readonly<Record<string, T>>, name: string): T[] =>
  Object.hasOwn(record, name) ? [record[name] as T] : [];

function requireSame(session: string, what: string, expected: string, got: string): void {
  if (expected === got) return;
  throw new OptimumError(
    'E_STATISTICS_MISMATCH',
    `Session "${session}": statistics of different ${what} do not add up (${expected.slice(0, 12)}… and ${got.slice(0, 12)}…).`,
    { hint: 'Calibrate the same file with the same method on each machine.', context: { session, expected, got } },
  );
}

/** One shard for each data set, with its samples in ascending ranges. */
function mergeShards(shards: readonly DataShard[], session: string): DataShard[] {
  const byHash = new Map<string, DataShard[]>();
  for (const shard of shards) byHash.set(shard.hash, [...(byHash.get(shard.hash) ?? []), shard]);
  return [...byHash.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([hash, own]) => ({
      hash,
      // The same data may go by several names.
      source: own.map(({ source }) => source).sort()[0] as string,
      ranges: mergeRanges(
        own.flatMap(({ ranges }) => ranges),
        session,
      ),
    }));
}

function mergeRanges(ranges: Ranges, session: string): Ranges {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from < last[1]) throw countedTwice(session, from, Math.min(to, last[1]));
    if (last && from === last[1]) last[1] = to;
    else merged.push([from, to]);
  }
  return merged;
}

const countedTwice = (session: string, from: number, to: number): OptimumError =>
  new OptimumError(
    'E_STATISTICS_MISMATCH',
    `Session "${session}": samples ${from} to ${to - 1} would be counted twice.`,
    {
      hint: 'Give each machine other samples of the data.',
      context: { session, from, to },
    },
  );
