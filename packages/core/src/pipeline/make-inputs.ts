import type { TensorData } from '../backend/index.ts';
import { numberToFloat16, type Random, seededRandom } from '../foundation/index.ts';
import { type ElementType, elementCount, type Model, type Value } from '../ir/index.ts';
import { type Bindings, bindDimensions, bindShape } from './dimensions.ts';
import { indexBound } from './input-bounds.ts';

/** What an input most likely carries; decides what numbers are put in. */
type InputKind = 'ids' | 'mask' | 'positions' | 'flag' | 'audio' | 'image' | 'numbers';

/**
 * Inputs made from the model's own signature: ids below the size of the table that they index, masks of ones with a
 * padded tail in later rows, ascending positions, normal numbers for images, audio and caches. Same seed, same bytes.
 */
export function makeInputs(
  model: Model,
  options: { readonly seed: number; readonly variant: 0 | 1; readonly sizes?: Bindings },
): Record<string, TensorData> {
  const random = seededRandom(options.seed);
  const inputs = requiredInputs(model);
  const signature = inputs.map((value) => ({ name: value.name ?? '', shape: value.shape }));
  const bindings = bindDimensions(signature, options.variant, options.sizes);
  return Object.fromEntries(
    inputs.map((value) => {
      const name = value.name ?? '';
      return [name, fill(value, bindShape(name, value.shape ?? [], bindings), random)];
    }),
  );
}

/** Inputs that a caller must feed: those without data of their own. */
export const requiredInputs = (model: Model): Value[] =>
  model.graph.inputs.filter(({ origin }) => origin.kind === 'input' && !origin.fallback);

function kindOf(value: Value, dims: readonly number[]): InputKind {
  const name = value.name ?? '';
  if (value.elementType === 'bool') return /mask/i.test(name) ? 'mask' : 'flag';
  if (/mask/i.test(name)) return 'mask';
  if (/position/i.test(name)) return 'positions';
  if (value.elementType?.startsWith('float')) {
    if (dims.length === 4 || /pixel|image/i.test(name)) return 'image';
    return /audio|input_values|features|wave/i.test(name) ? 'audio' : 'numbers';
  }
  return 'ids';
}

function fill(value: Value, dims: readonly number[], random: Random): TensorData {
  const elementType = value.elementType ?? 'float32';
  const count = elementCount(dims);
  if (elementType === 'string') return { elementType, dims, bytes: new Uint8Array(), strings: Array(count).fill('a') };
  const number = generator(value, dims, random);
  return { elementType, dims, bytes: encode(elementType, count, number) };
}

/** A function from flat index to number. */
function generator(value: Value, dims: readonly number[], random: Random): (index: number) => number {
  const width = dims.at(-1) ?? 1;
  const bound = indexBound(value);
  switch (kindOf(value, dims)) {
    case 'mask':
      // The second half of the rows is padded to three quarters, so that the mask matters.
      return (index) =>
        index >= (dims[0] ?? 1) * width * 0.5 && dims[0] !== 1 && index % width >= width * 0.75 ? 0 : 1;
    case 'positions':
      return (index) => Math.min(index % width, (bound ?? width) - 1);
    case 'flag':
      return () => 1;
    case 'audio':
    case 'image':
    case 'numbers':
      return () => random.normal();
    case 'ids':
      return () => random.integer(bound ?? 2);
  }
}

/** Numbers as the raw bytes of an element type. */
function encode(elementType: ElementType, count: number, number: (index: number) => number): Uint8Array {
  const array = arrayOf(elementType, count);
  for (let index = 0; index < count; index++) {
    const x = number(index);
    if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[index] = BigInt(Math.trunc(x));
    else array[index] = elementType === 'float16' ? numberToFloat16(x) : x;
  }
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function arrayOf(elementType: ElementType, count: number) {
  switch (elementType) {
    case 'float64':
      return new Float64Array(count);
    case 'float16':
    case 'uint16':
      return new Uint16Array(count);
    case 'int64':
      return new BigInt64Array(count);
    case 'uint64':
      return new BigUint64Array(count);
    case 'int32':
      return new Int32Array(count);
    case 'uint32':
      return new Uint32Array(count);
    case 'int16':
      return new Int16Array(count);
    case 'int8':
      return new Int8Array(count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(count);
    default:
      return new Float32Array(count);
  }
}
