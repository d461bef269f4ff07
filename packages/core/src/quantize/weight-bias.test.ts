import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../foundation/index.ts';
import { createKernels } from '../kernels/index.ts';
import { integerBias } from './weight-bias.ts';
import { runWeightTask, type WeightTask } from './weight-task.ts';

const kernels = createKernels();
const task = (fields: Partial<WeightTask> & Pick<WeightTask, 'rows' | 'columns'>): WeightTask => ({
  name: 'w',
  offset: 0,
  elementType: 'float32',
  transposed: false,
  scales: 'rows',
  elementType8: 'int8',
  range: 'full',
  sameGrid: false,
  alpha: 1,
  ...fields,
});

/** What a task emits, as the tensors that it is for. */
function run(fields: WeightTask, weights: readonly number[]) {
  const scaleCount =
    fields.scales === 'tensor'
      ? 1
      : fields[fields.scales] / (fields.scales === 'columns' ? (fields.columnsPerScale ?? 1) : 1);
  const lengths = [
    fields.rows * fields.columns,
    scaleCount * 4,
    scaleCount,
    ...(fields.biases ?? []).flatMap(({ values }) => [values.length * 4, scaleCount * 4]),
  ];
  const parts = lengths.map((length) => new Uint8Array(length));
  const source = new MemorySource(new Uint8Array(Float32Array.from(weights).buffer));
  runWeightTask(fields, source, kernels, (part, offset, bytes) => parts[part]?.set(bytes, offset));
  const buffers = parts.map(({ buffer }) => buffer);
  return {
    quantized: [...new Int8Array(buffers[0] as ArrayBuffer)],
    scales: [...new Float32Array(buffers[1] as ArrayBuffer)],
    biases: (fields.biases ?? []).map((_, index) => ({
      values: [...new Int32Array(buffers[3 + 2 * index] as ArrayBuffer)],
      scales: [...new Float32Array(buffers[4 + 2 * index] as ArrayBuffer)],
    })),
  };
}

const f32 = Math.fround;
const activationScale = f32(2 / 255);

describe('biases of a weight task', () => {
  // Made with onnxruntime 1.30.0: quantize_static of one Gemm (transB = 1), uint8 activations of scale 2/255, QDQ.
  const weights = [1e-7, -2e-7, 3e-8, 0.5, -1, 0.25, 1e-9, 2e-9, -4e-9];
  const biases = [{ values: Float32Array.of(3, 0.125, -700), activationScale }];

  it('raise the scales of weights with which they would not fit, as the reference does', () => {
    expect(run(task({ rows: 3, columns: 3, biases }), weights)).toEqual({
      quantized: [1, -1, 0, 64, -127, 32, 0, 0, 0],
      scales: [1.781332343853137e-7, 0.007874015718698502, 4.156442446401343e-5],
      biases: [
        {
          values: [2147268971, 2024, -2147268899],
          scales: [1.3971235279797156e-9, 6.175698945298791e-5, 3.2599550081613415e-7],
        },
      ],
    });
  });

  it('are on the grid of the one scale where there is one', () => {
    const { scales, biases: made } = run(task({ rows: 3, columns: 3, scales: 'tensor', biases }), weights);
    expect(scales).toEqual([0.007874015718698502]);
    expect(made).toEqual([{ values: [48577, 2024, -11334749], scales: [6.175698945298791e-5] }]);
  });

  it('leave room for the products that are added to them', () => {
    const columns = 1000;
    const weight = Array.from({ length: columns }, () => 1e-6);
    // The bias alone would fit: 2^31 - 1 less one in ten thousand.
    const values = Float32Array.of(f32(1e-6 / 127) * activationScale * (2 ** 31 - 3e5));
    const { quantized, biases: made } = run(task({ rows: 1, columns, biases: [{ values, activationScale }] }), weight);
    const sum = quantized.reduce((total, value) => total + 255 * value, made[0]?.values[0] as number);
    expect(sum).toBeLessThan(2 ** 31);
  });

  it('keep their digits where all weights of a channel are zero', () => {
    const values = Float32Array.of(0.3, 0);
    const { scales, biases: made } = run(
      task({ rows: 2, columns: 2, biases: [{ values, activationScale }] }),
      [0, 0, 0, 0],
    );
    const [bias] = made as [(typeof made)[number]];
    expect((bias.values[0] as number) * (bias.scales[0] as number)).toBeCloseTo(0.3, 6);
    expect(bias.values[1]).toBe(0);
    expect(scales[1]).toBe(1);
  });

  it('are several where several products read the weight: its scale suits all', () => {
    const both = [
      { values: Float32Array.of(1), activationScale: 0.5 },
      { values: Float32Array.of(-1000), activationScale: f32(1e-6) },
    ];
    const { scales, biases: made } = run(task({ rows: 1, columns: 2, biases: both }), [1, 2]);
    const [scale] = scales as [number];
    expect(made.map(({ scales: [own] }) => own)).toEqual([f32(scale * 0.5), f32(scale * 1e-6)]);
    made.forEach((bias, index) => {
      const own = bias.scales[0] as number;
      const error = Math.abs((bias.values[0] as number) * own - (both[index]?.values[0] as number));
      expect(error).toBeLessThanOrEqual(own / 2);
    });
  });

  it('have positive, normal scales and integers that stand for them, whatever the numbers', () => {
    const magnitude = fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: -30, max: 20 }));
    const number = magnitude.map(([mantissa, exponent]) => f32(mantissa * 10 ** exponent));
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 4, maxLength: 4 }),
        number,
        fc.integer({ min: -20, max: 3 }),
        (w, b, e) => {
          const values = Float32Array.of(b, -b);
          const own = f32(10 ** e);
          const { scales, biases: made } = run(
            task({ rows: 2, columns: 2, biases: [{ values, activationScale: own }] }),
            w,
          );
          const [bias] = made as [(typeof made)[number]];
          for (const scale of [...scales, ...bias.scales]) {
            expect(scale).toBeGreaterThan(1e-38);
            expect(Number.isFinite(scale)).toBe(true);
          }
          bias.values.forEach((value, index) => {
            const scale = bias.scales[index] as number;
            const wanted = values[index] as number;
            expect(Math.abs(value * scale - wanted)).toBeLessThanOrEqual(scale / 2 + Math.abs(wanted) * 1e-6);
          });
        },
      ),
    );
  });

  it('never give a weight of zeros a scale that is no normal number', () => {
    // Found by the property above.
    const values = Float32Array.of(-1.401298464324817e-45, 0);
    const { scales } = run(task({ rows: 2, columns: 2, biases: [{ values, activationScale: 10 }] }), [0, 0, 0, 0]);
    for (const scale of scales) expect(scale).toBeGreaterThan(1.17e-38);
  });

  it('round half to even and stop at 32 bits', () => {
    const scales = Float32Array.of(0.5, 0.5, 1e-20, 1e-20);
    expect([...integerBias(Float32Array.of(0.25, 0.75, 1, -1), scales)]).toEqual([0, 2, 2147483647, -2147483648]);
  });
});

describe('filters [input, output × taps]', () => {
  it('share a scale over the taps of an output channel', () => {
    const biases = [{ values: Float32Array.of(0.1, 0.2), activationScale: 0.01 }];
    const fields = task({ rows: 2, columns: 6, scales: 'columns', columnsPerScale: 3, biases });
    const { quantized, scales, biases: made } = run(fields, [1, 2, 3, 4, 5, 6, -7, 8, 9, 10, -11, 12]);
    expect(scales).toEqual([f32(9 / 127), f32(12 / 127)]);
    expect(quantized[8]).toBe(127);
    expect(quantized[11]).toBe(127);
    expect(quantized[0]).toBe(Math.round(127 / 9));
    expect(made[0]?.scales).toEqual(scales.map((scale) => f32(scale * f32(0.01))));
  });
});

describe('4-bit weights', () => {
  it('use the full range, two to a byte', () => {
    const parts: number[][] = [];
    const fields = task({ rows: 1, columns: 5, elementType8: 'int4' });
    const source = new MemorySource(new Uint8Array(Float32Array.of(-1, -0.25, 0, 0.5, 1).buffer));
    runWeightTask(fields, source, kernels, (part, offset, bytes) => {
      expect(offset).toBe(0);
      parts[part] = [...bytes];
    });
    // research: algorithms.md section 8.2, s4 sym: scale 0.13333334, [-7, -2, 0, 4]; 1 / scale is 7.5 and clipped to 7.
    expect(new Float32Array(Uint8Array.from(parts[1] as number[]).buffer)[0]).toBe(f32(2 / 15));
    expect(parts[0]).toEqual([0xe9, 0x40, 0x07]);
    expect(parts[2]).toEqual([0]);
  });
});
