import { OptimumError, quote } from '../foundation/index.ts';
import { edgesOf } from './histogram.ts';
import { sentinelMagnitude } from './observation.ts';
import type { DataShard, Statistics } from './statistics.ts';

/** The text of a statistics file: the same statistics give the same bytes. */
export const formatStatistics = (statistics: Statistics): string => [...statisticsPieces(statistics)].join('');

/** The same text piece by piece, no piece longer than what was observed of one tensor. */
export function* statisticsPieces(statistics: Statistics): Generator<string> {
  yield* jsonPieces(statistics, depthOfTensors);
  yield '\n';
}

/** `sessions`, a session, `tensors`, a tensor. */
const depthOfTensors = 4;

/** What `JSON.stringify` gives, of plain data, with objects down to a depth taken apart. */
function* jsonPieces(value: unknown, depth: number): Generator<string> {
  if (depth === 0 || !isObject(value)) return yield JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  for (const [index, [key, item]] of entries.entries()) {
    yield `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`;
    yield* jsonPieces(item, depth - 1);
  }
  yield entries.length === 0 ? '{}' : '}';
}

/**
 * Statistics from the text of a file. Everything is checked: what a file says becomes scales.
 * @throws E_STATISTICS_INVALID with every problem and its place
 */
export function parseStatistics(text: string, name = 'the statistics'): Statistics {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(`${name} is not JSON: ${(error as Error).message}`, [], error);
  }
  const problems: string[] = [];
  checkStatistics(json, problems);
  if (problems.length === 0) return json as Statistics;
  const more = problems.length > shown ? `; and ${problems.length - shown} more` : '';
  throw invalid(`${name}: ${problems.slice(0, shown).join('; ')}${more}.`, problems);
}

const shown = 10;

const invalid = (message: string, problems: readonly string[], cause?: unknown): OptimumError =>
  new OptimumError('E_STATISTICS_INVALID', message, {
    cause,
    context: { problems: problems.slice(0, 100) },
    hint: 'optimum calibrate writes such files.',
  });

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown, at: string, problems: string[]) => void;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checkStatistics(json: unknown, problems: string[]): void {
  if (!isObject(json)) return void problems.push('it is not an object');
  if (json.version !== 1) problems.push(`version: expected 1, got ${JSON.stringify(json.version)?.slice(0, 40)}`);
  eachValue(json.sessions, 'sessions', problems, checkSession);
}

const checkSession: Check = (value, at, problems) => {
  if (!isObject(value)) return void problems.push(`${at}: expected an object`);
  for (const key of ['model', 'requests']) hash(value[key], `${at}.${key}`, problems);
  count(value.samples, `${at}.samples`, problems);
  const before = problems.length;
  eachItem(value.data, `${at}.data`, problems, checkShard);
  if (problems.length === before) checkSamples(value.samples, value.data as DataShard[], at, problems);
  eachValue(value.tensors, `${at}.tensors`, problems, checkObservation);
};

const checkShard: Check = (value, at, problems) => {
  if (!isObject(value)) return void problems.push(`${at}: expected an object`);
  hash(value.hash, `${at}.hash`, problems);
  if (typeof value.source !== 'string') problems.push(`${at}.source: expected text`);
  let before = 0;
  eachItem(value.ranges, `${at}.ranges`, problems, (range, place) => {
    const [from, to] = Array.isArray(range) ? range : [];
    const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= before && to > from;
    if (isRange) before = to;
    else problems.push(`${place}: expected [from, to) after the one before`);
  });
};

function checkSamples(samples: unknown, data: readonly DataShard[], at: string, problems: string[]): void {
  const listed = data.flatMap(({ ranges }) => ranges).reduce((sum, [from, to]) => sum + to - from, 0);
  if (samples !== listed) problems.push(`${at}.samples: expected as many as data lists, ${listed}`);
}

const checkObservation: Check = (value, at, problems) => {
  if (!isObject(value)) return void problems.push(`${at}: expected an object`);
  for (const key of ['runs', 'elements']) count(value[key], `${at}.${key}`, problems);
  const [runs, elements] = [Number(value.runs), Number(value.elements)];
  if (runs > elements || (runs === 0 && elements > 0)) problems.push(`${at}.runs: expected 1 to elements, ${elements}`);
  for (const key of ['min', 'max']) activation(value[key], `${at}.${key}`, problems);
  if (Number(value.min) > Number(value.max)) problems.push(`${at}: min is above max`);
  for (const key of ['minSum', 'maxSum'])
    if (typeof value[key] !== 'string' || !/^-?\d{1,100}$/.test(value[key]))
      problems.push(`${at}.${key}: expected a whole number as text`);
  if (!isObject(value.excluded)) problems.push(`${at}.excluded: expected an object`);
  else for (const key of ['nan', 'infinite', 'sentinel']) count(value.excluded[key], `${at}.excluded.${key}`, problems);
  if (value.histogram !== undefined) checkHistogram(value, `${at}.histogram`, problems);
  if (value.channels !== undefined) checkChannels(value.channels, `${at}.channels`, problems);
};

function checkHistogram({ histogram, elements, min, max }: Fields, at: string, problems: string[]): void {
  const [bins, counts] = isObject(histogram) ? [histogram.bins, histogram.counts] : [];
  if (!Array.isArray(bins) || !Array.isArray(counts) || bins.length !== counts.length)
    return void problems.push(`${at}: expected bins and as many counts`);
  if (!bins.every((bin, index) => isBin(bin) && (index === 0 || bin > bins[index - 1])))
    problems.push(`${at}.bins: expected ascending bins of finite values`);
  else if (!bins.every((bin) => mayHold(bin, Number(min), Number(max))))
    problems.push(`${at}.bins: expected no bins outside of min and max`);
  if (!counts.every((one) => Number.isSafeInteger(one) && one > 0))
    problems.push(`${at}.counts: expected counts above 0`);
  else if (counts.reduce((sum, one) => sum + one, 0) !== elements)
    problems.push(`${at}.counts: expected them to add up to elements, ${elements}`);
}

/** The bins of +0 and -0 hold the smallest numbers too. */
function mayHold(bin: number, min: number, max: number): boolean {
  const { low, high } = edgesOf(bin);
  return (low <= max && high >= min) || low === high;
}

/** Of 16 bits, with an exponent that finite values have. */
const isBin = (bin: unknown): boolean =>
  Number.isInteger(bin) && (bin as number) >= 0 && (bin as number) <= 0xffff && ((bin as number) & 0x7f80) !== 0x7f80;

function checkChannels(value: unknown, at: string, problems: string[]): void {
  const { axis, min, max } = isObject(value) ? value : {};
  if (!Number.isInteger(axis)) problems.push(`${at}.axis: expected a whole number`);
  const isList = (list: unknown): list is number[] => Array.isArray(list) && list.every(isActivation);
  if (!isList(min) || !isList(max) || min.length !== max.length) problems.push(`${at}: expected min and as many max`);
  else if (!min.every((least, channel) => least <= (max[channel] as number)))
    problems.push(`${at}: a min is above its max`);
}

function eachValue(value: unknown, at: string, problems: string[], check: Check): void {
  if (!isObject(value)) return void problems.push(`${at}: expected an object`);
  for (const [key, item] of Object.entries(value)) check(item, `${at}.${placeOf(key)}`, problems);
}

/** Names of tensors come from models. */
const placeOf = (key: string): string => (/^\w{1,100}$/.test(key) ? key : quote(key));

function eachItem(value: unknown, at: string, problems: string[], check: Check): void {
  if (!Array.isArray(value)) return void problems.push(`${at}: expected a list`);
  value.forEach((item, index) => check(item, `${at}[${index}]`, problems));
}

function hash(value: unknown, at: string, problems: string[]): void {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    problems.push(`${at}: expected a SHA-256 in hexadecimal`);
}

function count(value: unknown, at: string, problems: string[]): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) problems.push(`${at}: expected a whole number, 0 or more`);
}

/** Number of a value that counts: see `TensorObservation`. */
const isActivation = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < sentinelMagnitude;

function activation(value: unknown, at: string, problems: string[]): void {
  if (!isActivation(value)) problems.push(`${at}: expected a number, nearer to zero than ${sentinelMagnitude}`);
}
