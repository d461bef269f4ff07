import { typescriptKernels } from './typescript.ts';
import { wasmKernels } from './wasm.ts';

/**
 * Number crunching on one linear memory. Pointers are byte offsets, floats are float32 and 4-byte aligned, matrices are
 * row-major, counts are arbitrary. Both implementations give the same bytes for finite inputs whose quotient
 * |x / scale| stays below 2^22, which every scale made from the range of the same data guarantees.
 */
export interface Kernels {
  readonly kind: 'wasm-simd' | 'typescript';
  /** The linear memory. Growing detaches the old buffer: read it again. */
  readonly buffer: ArrayBuffer;
  /** The first byte that callers may use. */
  readonly heapBase: number;
  /** Makes the memory at least this large. */
  grow(byteLength: number): void;
  /** Largest magnitude; NaN or infinity when a value is not finite; 0 for no values. */
  absMax(x: number, count: number): number;
  /** float32 out[2] = least and greatest value, both NaN when a value is not finite. */
  minMax(x: number, count: number, out: number): void;
  /** float32 accumulator[columns] = max(accumulator, magnitudes of the column); not finite where a value is not. */
  absMaxColumns(x: number, rows: number, columns: number, accumulator: number): void;
  /** float32 out[rows] = largest magnitude of each row. */
  absMaxRows(x: number, rows: number, columns: number, out: number): void;
  /**
   * For rows (0,1), (2,3), …: float32 accumulator[columns] = max over pairs of the sum of their positive parts and of
   * the sum of their negative parts.
   */
  pairMaxColumns(x: number, rows: number, columns: number, accumulator: number): void;
  /** float32 out[rows] = the same for neighbours (0,1), (2,3), … inside each row. */
  pairMaxRows(x: number, rows: number, columns: number, out: number): void;
  /** int8 out = clamp(roundHalfEven(x / scale)). */
  quantizeInt8(x: number, count: number, out: number, scale: number): void;
  /** uint8 out = clamp(roundHalfEven(x / scale) + zeroPoint). */
  quantizeUint8(x: number, count: number, out: number, scale: number, zeroPoint: number): void;
  /** As quantizeInt8 with float32 scales[columns]. */
  quantizeInt8Columns(x: number, rows: number, columns: number, out: number, scales: number): void;
  /** As quantizeInt8 with float32 scales[rows]. */
  quantizeInt8Rows(x: number, rows: number, columns: number, out: number, scales: number): void;
  /**
   * uint8 flags[columns] = 1 where in some pair of int8 rows the positive parts, or the negative parts, sum past 128:
   * where an 8-bit product that adds pairs in 16 bits can saturate. Returns the number of flags.
   */
  pairViolationColumns(q: number, rows: number, columns: number, flags: number): number;
  /** uint8 flags[rows] = 1 or 0 for neighbours inside each row. Returns the number of flags. */
  pairViolationRows(q: number, rows: number, columns: number, flags: number): number;
  /** Bytes [rows, columns] to [columns, rows]. */
  transposeBytes(x: number, rows: number, columns: number, out: number): void;
  /** int8 to uint8 with zero point 128, or back, in place. */
  flipSignBit(x: number, count: number): void;
  /** binary16 x[count] to float32 out[count]. */
  float16ToFloat32(x: number, count: number, out: number): void;
}

export interface KernelOptions {
  /** @defaultValue WebAssembly SIMD where the engine has it, else TypeScript */
  readonly kind?: 'wasm-simd' | 'typescript' | undefined;
}

/** Kernels over a memory of their own. */
export function createKernels(options: KernelOptions = {}): Kernels {
  if (options.kind === 'typescript') return typescriptKernels();
  const kernels = wasmKernels();
  if (kernels) return kernels;
  if (options.kind === 'wasm-simd') throw new TypeError('This engine has no WebAssembly SIMD.');
  return typescriptKernels();
}
