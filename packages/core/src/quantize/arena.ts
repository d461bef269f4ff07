import type { ByteSource } from '../foundation/index.ts';
import type { Kernels } from '../kernels/index.ts';
import type { WeightTask } from './weight-task.ts';

/**
 * Float32 bytes of a weight that are held at once: a weight up to this size is read once and kept for all passes, a
 * larger one goes by panels of a quarter of it.
 */
export const defaultMemoryByteLength = 12 << 20;

/** Some rows of a weight in kernel memory. */
export interface Panel {
  readonly row: number;
  readonly rows: number;
  /** Pointers: float32 values, the room for their bytes, and the room for the bytes transposed. */
  readonly floats: number;
  readonly quantized: number;
  readonly transposed: number;
}

/** Panels that share their scales: each panel of a weight with scales by row, all of them otherwise. */
export interface Block {
  /** Index of its first scale among those of the weight. */
  readonly start: number;
  /** Number of its scales. */
  readonly count: number;
  panels(): Iterable<Panel>;
}

const align = (value: number): number => Math.ceil(value / 64) * 64;
const sourceWidth = { float32: 4, float16: 2, bfloat16: 2, float64: 8 } as const;

/** The kernel memory of one task: accumulators, flags, scales, and one panel. */
export class Arena {
  readonly kernels: Kernels;
  readonly scratch: number;
  readonly accumulator: number;
  readonly flags: number;
  readonly #task: WeightTask;
  readonly #source: ByteSource;
  readonly #scales: number;
  readonly #floats: number;
  readonly #quantized: number;
  readonly #transposed: number;
  readonly #panelRows: number;
  #loadedRow = -1;

  constructor(task: WeightTask, source: ByteSource, kernels: Kernels, memoryByteLength: number) {
    this.#task = task;
    this.#source = source;
    this.kernels = kernels;
    const rowBytes = Math.max(4, task.columns * 4);
    const isWhole = task.rows * rowBytes <= memoryByteLength;
    // An even number of rows, so that no pair is split between panels.
    const pairs = Math.floor(memoryByteLength / 4 / rowBytes / 2);
    this.#panelRows = isWhole ? Math.max(1, task.rows) : Math.max(2, 2 * pairs);
    const count = Math.max(1, task.scales === 'rows' ? this.#panelRows : task.columns);
    this.scratch = align(kernels.heapBase);
    this.accumulator = this.scratch + 64;
    this.flags = this.accumulator + align(count * 8);
    this.#scales = this.flags + align(count);
    this.#floats = this.#scales + align(count * 4);
    this.#quantized = this.#floats + align(this.#panelRows * rowBytes);
    this.#transposed = this.#quantized + align(this.#panelRows * task.columns);
    kernels.grow(this.#transposed + (task.transposed ? align(this.#panelRows * task.columns) : 0) + 64);
  }

  /** The blocks in order. Weights with scales by row are read once, however large they are. */
  *blocks(): Iterable<Block> {
    const { scales, columns } = this.#task;
    if (scales !== 'rows') yield { start: 0, count: scales === 'tensor' ? 1 : columns, panels: () => this.#panels() };
    else for (const panel of this.#panels()) yield { start: panel.row, count: panel.rows, panels: () => [panel] };
  }

  /** The panels in order, loaded one at a time; a weight of one panel is read only once for all passes. */
  *#panels(): Iterable<Panel> {
    for (let row = 0; row < this.#task.rows; row += this.#panelRows) {
      const rows = Math.min(this.#panelRows, this.#task.rows - row);
      if (this.#loadedRow !== row) this.#load(row, rows);
      yield { row, rows, floats: this.#floats, quantized: this.#quantized, transposed: this.#transposed };
    }
  }

  floats(pointer: number, count: number): Float32Array {
    return new Float32Array(this.kernels.buffer, pointer, count);
  }

  bytes(pointer: number, count: number): Uint8Array {
    return new Uint8Array(this.kernels.buffer, pointer, count);
  }

  clear(pointer: number, byteLength: number): void {
    this.bytes(pointer, byteLength).fill(0);
  }

  /** The scales of the block at hand, to be filled in before a panel is quantized. */
  scales(count: number): Float32Array {
    return this.floats(this.#scales, count);
  }

  /** Quantizes a panel with the scales of its block, which are in place; with a zero point to uint8, else to int8. */
  quantize(panel: Panel, zeroPoint?: number): void {
    const { kernels } = this;
    const { columns } = this.#task;
    const count = panel.rows * columns;
    if (this.#task.scales === 'rows')
      kernels.quantizeInt8Rows(panel.floats, panel.rows, columns, panel.quantized, this.#scales);
    else if (this.#task.scales === 'columns')
      kernels.quantizeInt8Columns(panel.floats, panel.rows, columns, panel.quantized, this.#scales);
    else {
      const scale = this.scales(1)[0] as number;
      if (zeroPoint === undefined) kernels.quantizeInt8(panel.floats, count, panel.quantized, scale);
      else kernels.quantizeUint8(panel.floats, count, panel.quantized, scale, zeroPoint);
    }
  }

  /** Puts the bytes of a panel back into the order in which the filters are stored. */
  restoreOrder(panel: Panel): void {
    const { columns } = this.#task;
    const taps = this.#taps;
    if (taps === 1) return;
    const bytes = this.bytes(panel.quantized, panel.rows * columns);
    for (let row = 0; row < panel.rows; row++)
      transposeRow(bytes.subarray(row * columns, (row + 1) * columns), taps, columns / taps);
  }

  /** Taps of filters whose channels have to lie together; 1 where the order is that of the file. */
  get #taps(): number {
    const { channels = 1, columns, range } = this.#task;
    return channels > 1 && range === 'pair-aware' ? columns / channels : 1;
  }

  #load(row: number, rows: number): void {
    const { elementType, columns, offset } = this.#task;
    const width = sourceWidth[elementType];
    const count = rows * columns;
    const position = offset + row * columns * width;
    if (elementType === 'float32') this.#source.readInto(this.bytes(this.#floats, count * 4), position);
    else this.#convert(elementType, count, position);
    this.#bringChannelsTogether(rows);
    this.#loadedRow = row;
  }

  #bringChannelsTogether(rows: number): void {
    const { columns } = this.#task;
    const taps = this.#taps;
    if (taps === 1) return;
    const values = this.floats(this.#floats, rows * columns);
    for (let row = 0; row < rows; row++)
      transposeRow(values.subarray(row * columns, (row + 1) * columns), columns / taps, taps);
  }

  /** Other floats become float32 by way of a buffer outside kernel memory. */
  #convert(elementType: 'float16' | 'bfloat16' | 'float64', count: number, position: number): void {
    const raw = new Uint8Array(count * sourceWidth[elementType]);
    this.#source.readInto(raw, position);
    const target = this.floats(this.#floats, count);
    if (elementType === 'float64') target.set(new Float64Array(raw.buffer));
    else if (elementType === 'bfloat16') widen(new Uint16Array(raw.buffer), target);
    else {
      // The room of the float32 values holds the halves first, at its end, and is filled from its start.
      const halves = this.#floats + count * 2;
      this.bytes(halves, raw.byteLength).set(raw);
      this.kernels.float16ToFloat32(halves, count, this.#floats);
    }
  }
}

/** [outer, inner] to [inner, outer], in place. */
function transposeRow(row: Float32Array | Uint8Array, outer: number, inner: number): void {
  const before = row.slice();
  for (let a = 0; a < outer; a++) for (let b = 0; b < inner; b++) row[b * outer + a] = before[a * inner + b] as number;
}

/** bfloat16 is the upper half of a float32. */
function widen(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < source.length; index++) bits[index] = (source[index] as number) << 16;
}
