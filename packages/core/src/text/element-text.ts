import { float16ToNumber, numberToFloat16 } from '../foundation/index.ts';
import { bitWidth, type ElementType, type Tensor } from '../ir/index.ts';
import { printFloat } from './numbers.ts';
import { quote } from './strings.ts';

/**
 * How the elements of a type are spelled: floats as decimals, strings quoted, and everything else as integers. Half
 * and smaller floats are their bit patterns, as in the official syntax. Complex numbers are two floats each.
 */
export type Spelling = 'float' | 'integer' | 'string';

export function spellingOf(type: ElementType): Spelling {
  if (type === 'string') return 'string';
  return type === 'float32' || type === 'float64' || type.startsWith('complex') ? 'float' : 'integer';
}

/** True where floats have 32 bits. */
export const isSingle = (type: ElementType): boolean => type === 'float32' || type === 'complex64';

export const literalsPerElement = (type: ElementType): number => (type.startsWith('complex') ? 2 : 1);

/** Bits of one literal. */
export const literalBits = (type: ElementType): number => bitWidth(type) / literalsPerElement(type);

export const isSigned = (type: ElementType): boolean => /^int\d+$/.test(type);

/** The literals of a tensor in order; reads its payload. */
export function printElements(tensor: Tensor): string[] {
  const { elementType } = tensor;
  if (elementType === 'string') return tensor.strings().map(quote);
  const bytes = tensor.bytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = tensor.elementCount * literalsPerElement(elementType);
  const read = spellingOf(elementType) === 'float' ? printFloatAt : printIntegerAt;
  return Array.from({ length: count }, (_, index) => read(view, index, elementType));
}

function printFloatAt(view: DataView, index: number, type: ElementType): string {
  const single = isSingle(type);
  const at = index * (single ? 4 : 8);
  const value = single ? view.getFloat32(at, true) : view.getFloat64(at, true);
  const isNegative = (view.getUint8(at + (single ? 3 : 7)) & 0x80) !== 0;
  return Number.isNaN(value) && isNegative ? '-nan' : printFloat(value, single);
}

function printIntegerAt(view: DataView, index: number, type: ElementType): string {
  const bits = bitWidth(type);
  if (bits === 64)
    return String(isSigned(type) ? view.getBigInt64(index * 8, true) : view.getBigUint64(index * 8, true));
  const pattern = readPattern(view, index, bits);
  return String(isSigned(type) && pattern >= 2 ** (bits - 1) ? pattern - 2 ** bits : pattern);
}

function readPattern(view: DataView, index: number, bits: number): number {
  if (bits === 32) return view.getUint32(index * 4, true);
  if (bits === 16) return view.getUint16(index * 2, true);
  const bit = index * bits;
  return (view.getUint8(bit >> 3) >> (bit & 7)) & (2 ** bits - 1);
}

/** Writes the bits of an integer literal that is known to fit. */
export function writeInteger(view: DataView, index: number, bits: number, value: bigint): void {
  if (bits === 64) view.setBigInt64(index * 8, BigInt.asIntN(64, value), true);
  else if (bits === 32) view.setUint32(index * 4, Number(BigInt.asUintN(32, value)), true);
  else if (bits === 16) view.setUint16(index * 2, Number(BigInt.asUintN(16, value)), true);
  else {
    const bit = index * bits;
    view.setUint8(bit >> 3, view.getUint8(bit >> 3) | (Number(BigInt.asUintN(bits, value)) << (bit & 7)));
  }
}

/** Writes a float literal; NaN keeps its sign, but not its payload. */
export function writeFloat(view: DataView, index: number, type: ElementType, value: number, isNegative: boolean): void {
  const single = isSingle(type);
  const at = index * (single ? 4 : 8);
  if (single) view.setFloat32(at, value, true);
  else view.setFloat64(at, value, true);
  const last = at + (single ? 3 : 7);
  if (Number.isNaN(value)) view.setUint8(last, (view.getUint8(last) & 0x7f) | (isNegative ? 0x80 : 0));
}

/** The bit pattern of a half that somebody wrote as a decimal; `undefined` where it overflows. */
export function halfPattern(type: 'float16' | 'bfloat16', value: number): number | undefined {
  const pattern = type === 'float16' ? numberToFloat16(value) : bfloat16Pattern(value);
  const overflows = Number.isFinite(value) && !Number.isFinite(halfValue(type, pattern));
  return overflows ? undefined : pattern;
}

const word = new DataView(new ArrayBuffer(4));

/** Rounds to nearest, ties to even, as hardware does. */
export function bfloat16Pattern(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if (Number.isNaN(value)) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function halfValue(type: 'float16' | 'bfloat16', pattern: number): number {
  if (type === 'float16') return float16ToNumber(pattern);
  word.setUint32(0, pattern << 16);
  return word.getFloat32(0);
}
