import { numberToFloat16, type Random, seededRandom } from '../foundation/index.ts';
import { bitWidth, byteLengthOf, chunkByteLength, type ElementType, Tensor, type TensorJob } from '../ir/index.ts';
import { bfloat16Pattern } from './element-text.ts';

/** Strings are made at once, not when they are asked for; a text must not make more than this. */
export const maxFilledStrings = 1 << 20;

/**
 * A tensor of made-up content that stands for an elided weight: the same for the same type, dims and seed on every
 * machine, and computed when it is asked for. Floats are uniform in ±0.05, so that sums over some hundreds of them stay
 * near one; integers of at most 8 bits (quantized weights) use all their bits; wider ones (indices) are 0 or 1.
 */
export function filledTensor(elementType: ElementType, dims: readonly number[], seed: string): Tensor {
  if (elementType === 'string') return filledStrings(dims, seed);
  const job: TensorJob = {
    parts: [{ elementType, dims }],
    run: (emit) => emitChunks(elementType, byteLengthOf(elementType, dims), seededRandom(hash(seed)), emit),
  };
  return new Tensor(elementType, dims, { kind: 'computed', job, part: 0 });
}

function filledStrings(dims: readonly number[], seed: string): Tensor {
  const encoder = new TextEncoder();
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = Array.from({ length: count }, (_, index) => encoder.encode(`${seed}_${index}`));
  return new Tensor('string', dims, { kind: 'strings', values });
}

function emitChunks(type: ElementType, total: number, random: Random, emit: Parameters<TensorJob['run']>[0]): void {
  const view = new DataView(new ArrayBuffer(Math.min(total, chunkByteLength)));
  const { byteLength, write } = fillOf(type);
  for (let done = 0; done < total; done += view.byteLength) {
    const length = Math.min(view.byteLength, total - done);
    for (let at = 0; at < length; at += byteLength) write(view, at, random);
    emit(0, done, new Uint8Array(view.buffer, 0, length));
  }
}

interface Fill {
  readonly byteLength: number;
  write(view: DataView, at: number, random: Random): void;
}

const weight = (random: Random): number => (random.next() - 0.5) / 10;

const fills: Partial<Record<ElementType, Fill>> = {
  float32: { byteLength: 4, write: (view, at, random) => view.setFloat32(at, weight(random), true) },
  complex64: { byteLength: 4, write: (view, at, random) => view.setFloat32(at, weight(random), true) },
  float64: { byteLength: 8, write: (view, at, random) => view.setFloat64(at, weight(random), true) },
  complex128: { byteLength: 8, write: (view, at, random) => view.setFloat64(at, weight(random), true) },
  float16: { byteLength: 2, write: (view, at, random) => view.setUint16(at, numberToFloat16(weight(random)), true) },
  bfloat16: { byteLength: 2, write: (view, at, random) => view.setUint16(at, bfloat16Pattern(weight(random)), true) },
  bool: { byteLength: 1, write: (view, at, random) => view.setUint8(at, random.integer(2)) },
};

function fillOf(type: ElementType): Fill {
  const known = fills[type];
  if (known) return known;
  const byteLength = Math.max(1, bitWidth(type) / 8);
  // The low six bits of an 8-bit float are a finite positive number in every one of its formats.
  const bound = type.startsWith('float8') ? 64 : byteLength === 1 ? 256 : 2;
  return {
    byteLength,
    write(view, at, random) {
      for (let byte = 1; byte < byteLength; byte++) view.setUint8(at + byte, 0);
      view.setUint8(at, random.integer(bound));
    },
  };
}

/** FNV-1a over UTF-16 code units. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  return state >>> 0;
}
