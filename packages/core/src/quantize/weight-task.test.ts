import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float16ToNumber, MemorySource, numberToFloat16, OptimumError, seededRandom } from '../foundation/index.ts';
import { createKernels, type Kernels, roundHalfEven } from '../kernels/index.ts';
import { isPairSafe } from './saturation.ts';
import { runWeightTask, type WeightTask } from './weight-task.ts';

const implementations: readonly Kernels[] = [
  createKernels({ kind: 'wasm-simd' }),
  createKernels({ kind: 'typescript' }),
];

interface Result {
  readonly quantized: Int8Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Int8Array;
  readonly factor: number;
}

const task = (fields: Partial<WeightTask> & Pick<WeightTask, 'rows' | 'columns'>): WeightTask => ({
  name: 'w',
  offset: 0,
  elementType: 'float32',
  transposed: false,
  scales: 'columns',
  elementType8: 'int8',
  range: 'full',
  sameGrid: false,
  alpha: 1,
  ...fields,
});

function run(fields: WeightTask, bytes: Uint8Array, kernels: Kernels, memoryByteLength?: number): Result {
  const count = fields.scales === 'tensor' ? 1 : fields[fields.scales];
  const parts = [new Uint8Array(fields.rows * fields.columns), new Uint8Array(count * 4), new Uint8Array(count)];
  const written = parts.map((part) => new Uint8Array(part.length));
  const facts = runWeightTask(
    fields,
    new MemorySource(bytes),
    kernels,
    (part, offset, piece) => {
      parts[part]?.set(piece, offset);
      const times = written[part] as Uint8Array;
      for (let index = offset; index < offset + piece.length; index++) times[index] = (times[index] as number) + 1;
    },
    memoryByteLength,
  );
  // Every byte of every part is written exactly once.
  for (const times of written) expect(times.every((count) => count === 1)).toBe(true);
  const [quantized, scales, zeroPoints] = parts as [Uint8Array, Uint8Array, Uint8Array];
  return {
    quantized: new Int8Array(quantized.buffer),
    scales: new Float32Array(scales.buffer),
    zeroPoints: new Int8Array(zeroPoints.buffer),
    factor: facts.scaleFactor,
  };
}

/** Values of an element type as bytes, and what they are after rounding to that type. */
function encode(values: readonly number[], elementType: WeightTask['elementType']) {
  const floats = Float32Array.from(values);
  if (elementType === 'float32') return { bytes: new Uint8Array(floats.buffer), stored: [...floats] };
  if (elementType === 'float64')
    return { bytes: new Uint8Array(Float64Array.from(values).buffer), stored: [...floats] };
  const halves =
    elementType === 'float16'
      ? Uint16Array.from(floats, numberToFloat16)
      : Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
  const decode = (bits: number): number =>
    elementType === 'float16'
      ? float16ToNumber(bits)
      : (new Float32Array(Uint32Array.of(bits << 16).buffer)[0] as number);
  return { bytes: new Uint8Array(halves.buffer), stored: Array.from(halves, decode) };
}

/** Index of the stored element that lies at `index` of what was emitted. */
const storedIndex = (fields: WeightTask, index: number): number =>
  fields.transposed ? (index % fields.rows) * fields.columns + Math.floor(index / fields.rows) : index;

const scaleIndex = (fields: WeightTask, stored: number): number =>
  fields.scales === 'tensor'
    ? 0
    : fields.scales === 'rows'
      ? Math.floor(stored / fields.columns)
      : stored % fields.columns;

const subject = fc.record({
  rows: fc.integer({ min: 1, max: 13 }),
  columns: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer(),
  elementType: fc.constantFrom('float32', 'float16', 'bfloat16', 'float64'),
  transposed: fc.boolean(),
  scales: fc.constantFrom('columns', 'rows', 'tensor'),
  range: fc.constantFrom('full', 'reduced', 'pair-aware'),
  memoryByteLength: fc.constantFrom(16, 512, 1 << 20),
} as const);

function valuesOf(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  const special = [0, -0, 1, -1, 0.5, 2.5, 1e-6];
  return Array.from({ length: count }, () => (random.next() < 0.1 ? random.pick(special) : random.normal()));
}

describe('runWeightTask', () => {
  it('rounds each weight half to even on the grid of its scale, whatever the layout and the memory', () => {
    fc.assert(
      fc.property(subject, ({ rows, columns, seed, elementType, transposed, scales, range, memoryByteLength }) => {
        const fields = task({
          rows,
          columns,
          elementType,
          transposed,
          scales,
          range: scales === 'tensor' && range === 'pair-aware' ? 'full' : range,
        });
        const { bytes, stored } = encode(valuesOf(seed, rows * columns), elementType);
        const results = implementations.map((kernels) => run(fields, bytes, kernels, memoryByteLength));
        expect(results[0]).toEqual(results[1]);
        const { quantized, scales: made } = results[0] as Result;
        quantized.forEach((q, index) => {
          const at = storedIndex(fields, index);
          const scale = made[scaleIndex(fields, at)] as number;
          expect(scale).toBeGreaterThan(0);
          expect(q).toBe(roundHalfEven(Math.fround((stored[at] as number) / scale)) + 0);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('makes pair-aware columns that no activation can saturate, with the least scales that do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 20 }), fc.integer(), (k, n, seed) => {
        const { bytes } = encode(valuesOf(seed, k * n), 'float32');
        const kernels = implementations[0] as Kernels;
        const safe = run(task({ rows: k, columns: n, range: 'pair-aware' }), bytes, kernels);
        const full = run(task({ rows: k, columns: n }), bytes, kernels);
        for (let column = 0; column < n; column++) {
          const pick = ({ quantized }: Result) =>
            Int8Array.from({ length: k }, (_, row) => quantized[row * n + column] as number);
          const [a, b] = [safe.scales[column] as number, full.scales[column] as number];
          expect(isPairSafe(pick(safe))).toBe(true);
          // Untouched where the full range is safe, and never raised past what 7 bits would need.
          if (isPairSafe(pick(full)) && a !== b) expect(a / b).toBeLessThan(1.01);
          expect(a / b).toBeLessThanOrEqual(2.001);
        }
        expect(safe.factor).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  it('agrees with the golden values of the Python tool', () => {
    const bytes = new Uint8Array(Float32Array.of(-1, -0.25, 0, 0.5).buffer);
    for (const kernels of implementations) {
      const whole = { rows: 4, columns: 1, scales: 'tensor' } as const;
      const full = run(task(whole), bytes, kernels);
      expect([full.scales[0], [...full.quantized]]).toEqual([Math.fround(0.00787401572), [-127, -32, 0, 64]]);
      const reduced = run(task({ ...whole, range: 'reduced' }), bytes, kernels);
      expect([reduced.scales[0], [...reduced.quantized]]).toEqual([0.015625, [-64, -16, 0, 32]]);
      const unsigned = run(task({ ...whole, elementType8: 'uint8' }), bytes, kernels);
      expect([...new Uint8Array(unsigned.quantized.buffer)]).toEqual([0, 128, 170, 255]);
      expect([unsigned.scales[0], unsigned.zeroPoints[0]]).toEqual([Math.fround(0.00588235306), 170 - 256]);
    }
  });

  it('keeps the int8 grid in uint8 where that is asked for', () => {
    const bytes = new Uint8Array(Float32Array.of(-1, -0.25, 0, 0.5).buffer);
    for (const kernels of implementations) {
      const same = run(task({ rows: 4, columns: 1, elementType8: 'uint8', sameGrid: true }), bytes, kernels);
      expect([...new Uint8Array(same.quantized.buffer)]).toEqual([1, 96, 128, 192]);
      expect(new Uint8Array(same.zeroPoints.buffer)[0]).toBe(128);
    }
  });

  it.each([
    ['zeros', [0, 0, -0, 0], 1],
    ['subnormals', [1e-40, -1e-41, 0, 0], 1],
    ['the largest floats', [3.4e38, -3.4e38, 0, 1], undefined],
  ])('gives a normal, finite scale for %s', (_name, values, scale) => {
    const { bytes } = encode(values, 'float32');
    for (const range of ['full', 'pair-aware'] as const) {
      const [a, b] = implementations.map((kernels) => run(task({ rows: 4, columns: 1, range }), bytes, kernels));
      expect(a).toEqual(b);
      expect(a?.scales[0]).toBeGreaterThanOrEqual(1.1754943508222875e-38);
      expect(Number.isFinite(a?.scales[0])).toBe(true);
      if (scale !== undefined) expect(a?.scales[0]).toBe(scale);
    }
  });

  it.each([
    ['E_NUMERIC_NAN', Number.NaN],
    ['E_NUMERIC_INF', Number.POSITIVE_INFINITY],
    ['E_NUMERIC_INF', Number.NEGATIVE_INFINITY],
  ])('refuses %s and says where it is', (code, value) => {
    for (const scales of ['columns', 'rows', 'tensor'] as const) {
      for (const memoryByteLength of [16, 1 << 20]) {
        const values = Array.from({ length: 30 }, (_, index) => (index === 23 ? value : 1));
        const { bytes } = encode(values, 'float32');
        for (const kernels of implementations) {
          const attempt = () => run(task({ rows: 6, columns: 5, scales }), bytes, kernels, memoryByteLength);
          expect(attempt).toThrow(OptimumError);
          expect(attempt).toThrow(/Weight "w" \[6, 5\] holds (NaN|an infinity) at \[4, 3\]/);
          expect(() => attempt()).toThrow(expect.objectContaining({ code }));
        }
      }
    }
  });
});
