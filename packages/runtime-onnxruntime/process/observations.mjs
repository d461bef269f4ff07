// What was seen of the observed tensors, in memory that does not grow with the number of runs. Activations end here.
import { Channels } from './channels.mjs';
import { bitsOf, float32Of, unitsOf } from './float-bits.mjs';
import { RowSampler } from './rows.mjs';
import { Bins, scan } from './scan.mjs';

/** One tensor over all runs. */
class Accumulator {
  #runs = 0;
  #elements = 0;
  #min = 0;
  #max = 0;
  #minSum = 0n;
  #maxSum = 0n;
  #excluded = { nan: 0, infinite: 0, sentinel: 0 };
  #bins;
  #channels;
  #rows;

  constructor({ detail, reduced, channelAxis, rows }) {
    if (!reduced && detail !== 'range') this.#bins = new Bins();
    if (channelAxis !== undefined) this.#channels = new Channels(channelAxis);
    if (rows) this.#rows = new RowSampler(rows);
  }

  /** Adds a whole tensor, as the runtime hands it out. */
  addTensor(tensor, sample) {
    const values = float32Of(tensor);
    const run = scan(bitsOf(values), this.#bins);
    this.addRun(run);
    this.#channels?.add(values, tensor.dims, run.elements === values.length);
    this.#rows?.add(values, tensor.dims, sample);
  }

  addRun({ elements, min, max, nan, infinite, sentinel }) {
    this.#excluded.nan += nan;
    this.#excluded.infinite += infinite;
    this.#excluded.sentinel += sentinel;
    if (elements === 0) return;
    this.#min = this.#runs === 0 ? min : Math.min(this.#min, min);
    this.#max = this.#runs === 0 ? max : Math.max(this.#max, max);
    this.#minSum += unitsOf(min);
    this.#maxSum += unitsOf(max);
    this.#elements += elements;
    this.#runs++;
  }

  toObservation() {
    const channels = this.#channels?.toObservation();
    return {
      runs: this.#runs,
      elements: this.#elements,
      min: this.#min,
      max: this.#max,
      minSum: String(this.#minSum),
      maxSum: String(this.#maxSum),
      excluded: { ...this.#excluded },
      ...(this.#bins && { histogram: this.#bins.toHistogram() }),
      ...(channels && { channels }),
    };
  }

  toRows() {
    return this.#rows?.toSample();
  }
}

/** All observed tensors of a session, by the name under which they are kept. */
export class Observations {
  #tensors = new Map();

  /**
   * Adds what one run showed.
   * @param seen for each tap the tensor, or what its reductions say
   */
  add({ seen, sample }) {
    for (const { tap, tensor, reduced } of seen) {
      const accumulator = this.#of(tap);
      if (tensor) accumulator.addTensor(tensor, sample);
      else accumulator.addRun({ ...reduced, nan: 0, infinite: 0, sentinel: 0 });
    }
  }

  observations() {
    return Object.fromEntries([...this.#tensors].map(([name, one]) => [name, one.toObservation()]));
  }

  sampledRows() {
    const rows = [...this.#tensors].map(([name, one]) => [name, one.toRows()]);
    return Object.fromEntries(rows.filter(([, sample]) => sample));
  }

  #of(tap) {
    const known = this.#tensors.get(tap.tensor);
    if (known) return known;
    const made = new Accumulator(tap);
    this.#tensors.set(tap.tensor, made);
    return made;
  }
}
