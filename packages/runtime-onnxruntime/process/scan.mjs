// One pass over the values of a run: counts by their 16 leading bits, and what the run shows as a whole.
import { infinityBits, numberOf, sentinelBits } from './float-bits.mjs';

const binCount = 65536;
const signBit = -0x80000000;
const magnitudeMask = 0x7fffffff;

/** Counts that fit into the fast counters. */
const largestCount = 2 ** 32 - 1;

/** Bits as an integer that is ordered like the numbers, and back. */
const ordered = (bits) => bits ^ ((bits >> 31) & magnitudeMask);

/**
 * What one run shows: how many values count, the least and the greatest of them, and how many do not count and why.
 * @param bits of all values, as Int32Array
 * @param bins counts them, where a histogram is wanted
 */
export function scan(bits, bins) {
  // Positive numbers are ordered like their bits, negative ones against them: two integer maxima find both ends.
  const { greatestSigned, greatestUnsigned } = bins ? bins.count(bits) : maxima(bits);
  const isPlain =
    greatestSigned < sentinelBits && (greatestUnsigned >= 0 || (greatestUnsigned & magnitudeMask) < sentinelBits);
  if (!isPlain) return scanMixed(bits, bins);
  if (bits.length === 0) return { elements: 0, nan: 0, infinite: 0, sentinel: 0 };
  // Numbers of one sign only: the end that is nearer to zero is still to be found.
  const min = greatestUnsigned < 0 ? greatestUnsigned : leastOrdered(bits);
  const max = greatestSigned >= 0 ? greatestSigned : greatestOrdered(bits);
  return { elements: bits.length, min: numberOf(min), max: numberOf(max), nan: 0, infinite: 0, sentinel: 0 };
}

function maxima(bits) {
  let signed = signBit;
  let unsigned = signBit;
  for (let index = 0; index < bits.length; index++) {
    const value = bits[index];
    if (value > signed) signed = value;
    const flipped = value ^ signBit;
    if (flipped > unsigned) unsigned = flipped;
  }
  return { greatestSigned: signed, greatestUnsigned: unsigned ^ signBit };
}

function leastOrdered(bits) {
  let least = magnitudeMask;
  for (let index = 0; index < bits.length; index++) {
    const key = ordered(bits[index]);
    if (key < least) least = key;
  }
  return ordered(least);
}

function greatestOrdered(bits) {
  let greatest = signBit;
  for (let index = 0; index < bits.length; index++) {
    const key = ordered(bits[index]);
    if (key > greatest) greatest = key;
  }
  return ordered(greatest);
}

/** As `scan`, where some values do not count. */
function scanMixed(bits, bins) {
  let least = magnitudeMask;
  let greatest = signBit;
  let nan = 0;
  let infinite = 0;
  let sentinel = 0;
  for (let index = 0; index < bits.length; index++) {
    const value = bits[index];
    const magnitude = value & magnitudeMask;
    if (magnitude < sentinelBits) {
      const key = ordered(value);
      if (key < least) least = key;
      if (key > greatest) greatest = key;
    } else if (magnitude < infinityBits) {
      sentinel++;
      bins?.exclude(value);
    } else if (magnitude === infinityBits) infinite++;
    else nan++;
  }
  const elements = bits.length - nan - infinite - sentinel;
  const ends = elements > 0 ? { min: numberOf(ordered(least)), max: numberOf(ordered(greatest)) } : {};
  return { elements, ...ends, nan, infinite, sentinel };
}

/** Values of the bins above it do not count; of this one, a part does. */
const sentinelBin = sentinelBits >>> 16;

/** Scratch, one for all. */
const totals = new Float64Array(binCount);

/** Counts of values by their 16 leading bits. The memory that is really used is that of the pages that are counted in. */
export class Bins {
  /** Values at even places, then at odd places: two sets, because equal neighbours would wait for each other. */
  #recent = new Uint32Array(2 * binCount);
  #recentTotal = 0;
  /** What the fast counters had before they could overflow. */
  #earlier;
  /** Sentinels that share a bin with values that count, positive and negative. */
  #excluded = [0, 0];
  #largestTotal;

  /** @param largestTotal values that the fast counters take before they are emptied */
  constructor(largestTotal = largestCount) {
    this.#largestTotal = largestTotal;
  }

  /** Counts all values, sentinels included, and returns the greatest as signed and as unsigned integers. */
  count(bits) {
    if (this.#recentTotal + bits.length > this.#largestTotal) this.#flush();
    this.#recentTotal += bits.length;
    return countInto(this.#recent, bits);
  }

  /** Takes a sentinel out of its bin. */
  exclude(bits) {
    if (((bits >>> 16) & 0x7fff) === sentinelBin) this.#excluded[bits < 0 ? 1 : 0]++;
  }

  /** Bins with a count, in ascending order, and the counts; as typed arrays, which cross between processes cheaply. */
  toHistogram() {
    const totals = this.#totals();
    let used = 0;
    for (let bin = 0; bin < binCount; bin++) if (totals[bin] > 0) used++;
    const histogram = { bins: new Uint16Array(used), counts: new Float64Array(used) };
    for (let bin = 0, place = 0; bin < binCount; bin++) {
      if (totals[bin] === 0) continue;
      histogram.bins[place] = bin;
      histogram.counts[place++] = totals[bin];
    }
    return histogram;
  }

  /** Counts of all bins, without what does not count; valid until the next call. */
  #totals() {
    if (this.#earlier) totals.set(this.#earlier);
    else totals.fill(0);
    const recent = this.#recent;
    for (let bin = 0; bin < binCount; bin++) totals[bin] += recent[bin] + recent[binCount + bin];
    for (const [sign, excluded] of this.#excluded.entries()) {
      const first = (sign << 15) + sentinelBin;
      totals[first] -= excluded;
      totals.fill(0, first + 1, (sign + 1) << 15);
    }
    return totals;
  }

  #flush() {
    this.#earlier ??= new Float64Array(binCount);
    for (let bin = 0; bin < binCount; bin++) this.#earlier[bin] += this.#recent[bin] + this.#recent[binCount + bin];
    this.#recent.fill(0);
    this.#recentTotal = 0;
  }
}

/** The one loop that every observed value goes through. */
function countInto(counters, bits) {
  let signed = signBit;
  let unsigned = signBit;
  const pairs = bits.length & ~1;
  for (let index = 0; index < pairs; index += 2) {
    const even = bits[index];
    const odd = bits[index + 1];
    counters[even >>> 16]++;
    counters[(odd >>> 16) + binCount]++;
    if (even > signed) signed = even;
    if (odd > signed) signed = odd;
    const evenFlipped = even ^ signBit;
    const oddFlipped = odd ^ signBit;
    if (evenFlipped > unsigned) unsigned = evenFlipped;
    if (oddFlipped > unsigned) unsigned = oddFlipped;
  }
  if (pairs < bits.length) {
    const last = bits[pairs];
    counters[last >>> 16]++;
    if (last > signed) signed = last;
    const flipped = last ^ signBit;
    if (flipped > unsigned) unsigned = flipped;
  }
  return { greatestSigned: signed, greatestUnsigned: unsigned ^ signBit };
}
