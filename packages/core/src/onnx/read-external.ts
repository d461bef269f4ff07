import { type ByteSource, OptimumError, quote } from '../foundation/index.ts';
import { type Backing, byteLengthOf, type ElementType } from '../ir/index.ts';
import type { Budget } from './limits.ts';

/** Opens the file that external data names; it must refuse what lies outside the model's folder. */
export type OpenExternal = (location: string) => ByteSource;

/** What a tensor says of its external data. */
export interface ExternalRequest {
  readonly tensor: string;
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly entries: ReadonlyMap<string, string>;
}

interface Place {
  readonly tensor: string;
  readonly location: string;
  readonly start: number;
  readonly end: number;
}

/** The files of external data that one model names, each opened once, and who lies where in them. */
export class ExternalFiles {
  readonly #open: OpenExternal | undefined;
  readonly #budget: Budget;
  readonly #file: string;
  readonly #sources = new Map<string, ByteSource>();
  readonly #places = new Map<ByteSource, Place[]>();
  /** Tensors so far; a part of the model during whose reading it grows cannot be copied as it is. */
  count = 0;

  constructor(open: OpenExternal | undefined, budget: Budget, file: string) {
    this.#open = open;
    this.#budget = budget;
    this.#file = file;
  }

  /** Where the tensor lies; nothing is read. @throws E_MODEL_INVALID and what opening throws */
  backing(request: ExternalRequest): Backing {
    const { elementType, dims, entries } = request;
    const location = entries.get('location');
    if (!location) throw this.#invalid('its data is external, but names no location');
    const expected = byteLengthOf(elementType, dims);
    const offset = this.#wholeNumber(entries, 'offset', 0);
    const byteLength = this.#wholeNumber(entries, 'length', expected);
    if (byteLength !== expected) {
      const what = `its external data says ${byteLength} bytes, but ${elementType} [${dims.join(', ')}] needs ${expected}`;
      throw this.#invalid(what, { expected, actual: byteLength });
    }
    const source = this.#source(location);
    if (offset + byteLength > source.byteLength) {
      throw this.#invalid(
        `its data lies at bytes ${offset} to ${offset + byteLength} of ${quote(location)}, which has ${source.byteLength}`,
        { location, offset, byteLength, fileByteLength: source.byteLength },
      );
    }
    this.#record(source, { tensor: request.tensor, location, start: offset, end: offset + byteLength });
    return { kind: 'range', source, offset, byteLength };
  }

  /** @throws E_MODEL_INVALID when two tensors share some of their bytes: the same range twice is one weight, else none */
  checkOverlaps(): void {
    for (const places of this.#places.values()) {
      places.sort((a, b) => a.start - b.start || a.end - b.end);
      let before = places[0];
      for (const place of places.slice(1)) {
        if (before && place.start < before.end && (place.start !== before.start || place.end !== before.end)) {
          throw this.#invalid(
            `tensors ${quote(before.tensor)} and ${quote(place.tensor)} overlap in ${quote(place.location)}: ` +
              `bytes ${before.start} to ${before.end} and ${place.start} to ${place.end}`,
          );
        }
        if (!before || place.end > before.end) before = place;
      }
    }
  }

  #source(location: string): ByteSource {
    const known = this.#sources.get(location);
    if (known) return known;
    if (!this.#open) {
      throw this.#invalid(`its data lies in ${quote(location)}, which cannot be opened from here`, { location });
    }
    this.#budget.externalFiles(this.#sources.size + 1);
    const source = this.#open(location);
    this.#sources.set(location, source);
    return source;
  }

  #record(source: ByteSource, place: Place): void {
    this.count++;
    if (place.start === place.end) return;
    const places = this.#places.get(source) ?? [];
    places.push(place);
    this.#places.set(source, places);
  }

  #wholeNumber(entries: ReadonlyMap<string, string>, key: string, fallback: number): number {
    const text = entries.get(key);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw this.#invalid(`the ${key} of its external data is ${quote(text)}, expected a whole number`, { [key]: text });
  }

  #invalid(what: string, context: Readonly<Record<string, unknown>> = {}): OptimumError {
    return new OptimumError('E_MODEL_INVALID', `${this.#file}: ${what}.`, {
      hint: 'Model and data file do not belong together, or one was cut short: download or export both again.',
      context: { file: this.#file, ...context },
    });
  }
}
