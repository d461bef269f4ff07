// Least and greatest value of each channel of a tensor.
import { counts } from './float-bits.mjs';

const product = (dims) => dims.reduce((count, dim) => count * dim, 1);

/** Ranges along one axis. A tensor whose axis changes its size, or that lacks it, has no channels. */
export class Channels {
  #axis;
  #min;
  #max;
  #isBroken = false;

  /** @param axis negative counts from the last */
  constructor(axis) {
    this.#axis = axis;
  }

  /** @param isPlain that all values of the run count */
  add(values, dims, isPlain) {
    if (values.length === 0) return;
    const axis = this.#axis < 0 ? this.#axis + dims.length : this.#axis;
    const size = dims[axis];
    this.#min ??= new Float32Array(size ?? 0).fill(Number.POSITIVE_INFINITY);
    this.#max ??= new Float32Array(size ?? 0).fill(Number.NEGATIVE_INFINITY);
    this.#isBroken ||= size !== this.#min.length;
    if (this.#isBroken) return;
    const inner = product(dims.slice(axis + 1));
    if (inner === 1) this.#addColumns(values, isPlain);
    else this.#addBlocks(values, inner, isPlain);
  }

  /** `undefined` when the tensor has no such channels. */
  toObservation() {
    if (!this.#min || this.#isBroken) return undefined;
    return { axis: this.#axis, min: this.#min.map(finite), max: this.#max.map(finite) };
  }

  /** The channels are the last axis. */
  #addColumns(values, isPlain) {
    const min = this.#min;
    const max = this.#max;
    for (let start = 0; start < values.length; start += min.length) {
      for (let channel = 0; channel < min.length; channel++) {
        const value = values[start + channel];
        if (!isPlain && !counts(value)) continue;
        if (value < min[channel]) min[channel] = value;
        if (value > max[channel]) max[channel] = value;
      }
    }
  }

  /** Each channel is a block of `inner` values. */
  #addBlocks(values, inner, isPlain) {
    const size = this.#min.length;
    for (let block = 0; block * inner < values.length; block++) {
      let min = Number.POSITIVE_INFINITY;
      let max = Number.NEGATIVE_INFINITY;
      for (let index = block * inner; index < (block + 1) * inner; index++) {
        const value = values[index];
        if (!isPlain && !counts(value)) continue;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      const channel = block % size;
      if (min < this.#min[channel]) this.#min[channel] = min;
      if (max > this.#max[channel]) this.#max[channel] = max;
    }
  }
}

/** A channel in which no value counted. */
const finite = (value) => (Number.isFinite(value) ? value + 0 : 0);
