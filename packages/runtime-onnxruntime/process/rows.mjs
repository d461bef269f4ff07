// Rows of a tensor that stand for all: those whose sample and row number have the smallest hashes, so that neither the
// order of the samples nor how they are split matters.
import { counts } from './float-bits.mjs';

/** A well mixed 32-bit number of two. @source the finalizer of MurmurHash3 */
export function rowHash(sample, row) {
  return mix(mix(sample | 0) ^ row) >>> 0;
}

function mix(number) {
  let bits = (number + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

const isBefore = (a, b) => a.hash - b.hash || a.sample - b.sample || a.row - b.row;

/** Keeps `limit` rows (slices along the last axis). Rows with a value that does not count are never kept. */
export class RowSampler {
  #limit;
  #width;
  #isRagged = false;
  /** By hash, then sample, then row. */
  #kept = [];

  constructor(limit) {
    this.#limit = limit;
  }

  /** Offers all rows of one run. */
  add(values, dims, sample) {
    const width = dims.at(-1) ?? 1;
    if (values.length === 0) return;
    this.#width ??= width;
    this.#isRagged ||= width !== this.#width;
    // Rows of several widths make no matrix: none are kept, whichever came first.
    if (this.#isRagged) this.#kept = [];
    else for (let row = 0; row < values.length / width; row++) this.#offer(values, sample, row);
  }

  /** The kept rows by sample and row; `undefined` when there are none. */
  toSample() {
    if (this.#kept.length === 0) return undefined;
    const values = new Float32Array(this.#kept.length * this.#width);
    const rows = [...this.#kept].sort((a, b) => a.sample - b.sample || a.row - b.row);
    for (const [place, { values: row }] of rows.entries()) values.set(row, place * this.#width);
    return { width: this.#width, values };
  }

  #offer(values, sample, row) {
    const entry = { hash: rowHash(sample, row), sample, row };
    const last = this.#kept.at(-1);
    const isFull = this.#kept.length >= this.#limit;
    if (isFull && (!last || isBefore(entry, last) >= 0)) return;
    const start = row * this.#width;
    const slice = values.slice(start, start + this.#width);
    if (!slice.every(counts)) return;
    this.#kept.splice(placeOf(entry, this.#kept), 0, { ...entry, values: slice });
    if (isFull) this.#kept.pop();
  }
}

/** Where an entry belongs in a sorted list. */
function placeOf(entry, list) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(entry, list[middle]) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
