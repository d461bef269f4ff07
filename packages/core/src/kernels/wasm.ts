import type { Kernels } from './kernels.ts';
import { wasmBase64 } from './wasm.generated.ts';

const pageByteLength = 65_536;
/** What the module's own data may take below the heap. */
const heapBase = 1024;

type Exports = Omit<Kernels, 'kind' | 'buffer' | 'heapBase' | 'grow'>;

let compiled: WebAssembly.Module | undefined;

/** The WebAssembly kernels, or `undefined` where the engine cannot run them. */
export function wasmKernels(): Kernels | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = decodeBase64(wasmBase64);
  if (!compiled && !WebAssembly.validate(bytes)) return undefined;
  compiled ??= new WebAssembly.Module(bytes);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(compiled, { env: { memory, abort: () => undefined } });
  // The interface lists what the module exports, and a test runs every one of them.
  const exports = instance.exports as WebAssembly.Exports & Exports;
  return {
    kind: 'wasm-simd',
    heapBase,
    get buffer() {
      return memory.buffer as ArrayBuffer;
    },
    grow(byteLength) {
      const missing = Math.ceil((byteLength - memory.buffer.byteLength) / pageByteLength);
      if (missing > 0) memory.grow(missing);
    },
    absMax: exports.absMax,
    minMax: exports.minMax,
    absMaxColumns: exports.absMaxColumns,
    absMaxRows: exports.absMaxRows,
    pairMaxColumns: exports.pairMaxColumns,
    pairMaxRows: exports.pairMaxRows,
    quantizeInt8: exports.quantizeInt8,
    quantizeUint8: exports.quantizeUint8,
    quantizeInt8Columns: exports.quantizeInt8Columns,
    quantizeInt8Rows: exports.quantizeInt8Rows,
    pairViolationColumns: exports.pairViolationColumns,
    pairViolationRows: exports.pairViolationRows,
    transposeBytes: exports.transposeBytes,
    flipSignBit: exports.flipSignBit,
    float16ToFloat32: exports.float16ToFloat32,
  };
}

const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
