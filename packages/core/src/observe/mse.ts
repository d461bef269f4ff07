import type { ActivationScheme } from './activation-scheme.ts';
import type { Range } from './calibration-method.ts';
import { type Span, spansOf } from './histogram.ts';
import type { TensorObservation } from './observation.ts';
import { limitsOf, quantizationParameters } from './quantization-parameters.ts';

/** Ends that are tried: the widest, and from there so many steps down, four to an octave. */
const coarseSteps = 96;
const coarseStep = 2 ** (1 / 4);
/** Then so many between the neighbours of the best. */
const fineSteps = 24;

/** Sum of squared errors over all values, by the range. */
type ErrorOf = (range: Range) => number;

interface Search {
  /** From fewer, wider spans: good enough to tell neighbours of the best end. */
  readonly rough: ErrorOf;
  readonly exact: ErrorOf;
}

/**
 * The range whose quantization error has the least mean square: rounding to the grid of the scheme, and clipping. Both
 * ends are drawn in together first, then one after the other until neither moves.
 */
export function mseRange(observation: TensorObservation, scheme: ActivationScheme): Range {
  const widest = { min: Math.min(0, observation.min), max: Math.max(0, observation.max) };
  // Every range meets zero exactly.
  const spans = spansOf(observation).filter(({ low, high }) => low !== 0 || high !== 0);
  const search = { rough: squaredErrorOf(coarser(spans), scheme), exact: squaredErrorOf(spans, scheme) };
  if (!scheme.symmetric) return searchEnds(widest, search);
  const threshold = leastOf(Math.max(-widest.min, widest.max), (end) => ({ min: -end, max: end }), search);
  return { min: -threshold, max: threshold };
}

function searchEnds(widest: Range, search: Search): Range {
  const scaled = (factor: number): Range => ({ min: widest.min * factor, max: widest.max * factor });
  let range = scaled(leastOf(1, scaled, search));
  for (let round = 0; round < 3; round++) {
    const before = range;
    const max = leastOf(widest.max, (end) => ({ min: before.min, max: end }), search);
    const min = -leastOf(-widest.min, (end) => ({ min: -end, max }), search);
    range = { min, max };
    if (min === before.min && max === before.max) break;
  }
  return leastBy([widest, range], search.exact);
}

/** The end with the least error; of equal ones the greatest. */
function leastOf(greatest: number, rangeAt: (end: number) => Range, { rough, exact }: Search): number {
  if (greatest === 0) return 0;
  const coarse = Array.from({ length: coarseSteps + 1 }, (_, step) => greatest * coarseStep ** -step);
  const near = leastBy(coarse, (end) => rough(rangeAt(end)));
  const [from, to] = [near / coarseStep, Math.min(greatest, near * coarseStep)];
  const fine = Array.from({ length: fineSteps + 1 }, (_, step) => to - ((to - from) * step) / fineSteps);
  return leastBy([greatest, ...fine], (end) => exact(rangeAt(end)));
}

/** Of equal ones the first. */
function leastBy<T>(candidates: readonly T[], errorOf: (candidate: T) => number): T {
  const errors = candidates.map(errorOf);
  return candidates[errors.indexOf(Math.min(...errors))] as T;
}

/** Neighbours joined to spans of a sixteenth of an octave. */
function coarser(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    const isNear = last && Math.abs(span.high - last.low) * 16 <= Math.min(Math.abs(span.high), Math.abs(last.low));
    if (isNear) joined[joined.length - 1] = { low: last.low, high: span.high, count: last.count + span.count };
    else joined.push(span);
  }
  return joined;
}

function squaredErrorOf(spans: readonly Span[], scheme: ActivationScheme): ErrorOf {
  const lows = Float64Array.from(spans, ({ low }) => low);
  const highs = Float64Array.from(spans, ({ high }) => high);
  const limits = limitsOf(scheme.elementType);
  return (range) => {
    const { scale, zeroPoint } = quantizationParameters(range, scheme);
    const [least, greatest] = [limits.min - zeroPoint, limits.max - zeroPoint];
    let sum = 0;
    for (let index = 0; index < spans.length; index++) {
      const [low, high] = [(lows[index] as number) / scale, (highs[index] as number) / scale];
      sum += (spans[index] as Span).count * meanSquaredError(low, high, least, greatest);
    }
    return sum * scale * scale;
  };
}

/** Narrower spans, relative to their place, count as one number: a difference of integrals would drown in rounding. */
const narrow = 1e-6;

/** Of values spread evenly between two numbers, in steps of the grid. */
function meanSquaredError(low: number, high: number, least: number, greatest: number): number {
  const width = high - low;
  if (width <= narrow * Math.max(-low, high)) return (high - nearest(high, least, greatest)) ** 2;
  return (errorUpTo(high, least, greatest) - errorUpTo(low, least, greatest)) / width;
}

/** The integer that a number becomes. */
const nearest = (value: number, least: number, greatest: number): number =>
  Math.min(greatest, Math.max(least, Math.round(value)));

/** Integral of the squared error from 0: a twelfth for each whole step, and what is left, be it rounded or clipped. */
function errorUpTo(value: number, least: number, greatest: number): number {
  const integer = nearest(value, least, greatest);
  const rest = value - integer;
  return integer / 12 + (rest * rest * rest) / 3;
}
