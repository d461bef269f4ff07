import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource, seededRandom } from '../foundation/index.ts';
import { createKernels } from '../kernels/index.ts';
import { isPairSafe } from './saturation.ts';
import type { RoundedWeight } from './weight-override.ts';
import { emitRounded } from './weight-rounded.ts';
import { runWeightTask, type WeightTask } from './weight-task.ts';

const implementations = [createKernels({ kind: 'wasm-simd' }), createKernels({ kind: 'typescript' })];

interface Shape {
  readonly outputs: number;
  readonly channels: number;
  readonly taps: number;
}

const taskOf = ({ outputs, channels, taps }: Shape, fields: Partial<WeightTask> = {}): WeightTask => ({
  name: 'w',
  offset: 0,
  elementType: 'float32',
  rows: outputs,
  columns: channels * taps,
  transposed: false,
  scales: 'rows',
  elementType8: 'int8',
  range: 'pair-aware',
  sameGrid: false,
  alpha: 1,
  channels,
  ...fields,
});

/** Filters of one output in the order in which the kernel reads them: all channels of a tap, then the next tap. */
const asRead = (quantized: Int8Array, { channels, taps }: Shape, output: number): Int8Array =>
  Int8Array.from(
    { length: channels * taps },
    (_, k) => quantized[output * channels * taps + (k % channels) * taps + Math.floor(k / channels)] as number,
  );

function run(
  task: WeightTask,
  weights: Float32Array,
  kernels = implementations[0] as (typeof implementations)[number],
  memory?: number,
) {
  const quantized = new Int8Array(task.rows * task.columns);
  const scales = new Uint8Array(task.rows * 4);
  const parts = [new Uint8Array(quantized.buffer), scales, new Uint8Array(task.rows)];
  const source = new MemorySource(new Uint8Array(weights.buffer));
  const facts = runWeightTask(task, source, kernels, (part, offset, bytes) => parts[part]?.set(bytes, offset), memory);
  return { quantized, scales: new Float32Array(scales.buffer), facts };
}

const shapes = fc.record({
  outputs: fc.integer({ min: 1, max: 5 }),
  channels: fc.integer({ min: 1, max: 7 }),
  taps: fc.integer({ min: 1, max: 9 }),
});

describe('pair-aware filters', () => {
  it('cannot saturate in the order of the kernel, whatever the shape, and keep their place and value', () => {
    fc.assert(
      fc.property(shapes, fc.integer(), fc.constantFrom(...implementations), (shape, seed, kernels) => {
        const random = seededRandom(seed);
        const weights = Float32Array.from({ length: shape.outputs * shape.channels * shape.taps }, () =>
          random.normal(),
        );
        const task = taskOf(shape);
        const { quantized, scales } = run(task, weights, kernels, 1024);
        for (let output = 0; output < shape.outputs; output++) {
          expect(isPairSafe(asRead(quantized, shape, output))).toBe(true);
          const scale = scales[output] as number;
          for (let k = 0; k < task.columns; k++) {
            const index = output * task.columns + k;
            expect(Math.abs((quantized[index] as number) * scale - (weights[index] as number))).toBeLessThanOrEqual(
              scale * 0.501,
            );
          }
        }
      }),
    );
  });

  it('are raised by neighbours in channels, not by neighbours in the file', () => {
    const shape = { outputs: 1, channels: 2, taps: 2 };
    // In the file [c0t0, c0t1, c1t0, c1t1]; read as [c0t0, c1t0, c0t1, c1t1].
    expect(run(taskOf(shape), Float32Array.of(1, 1, 0, 0)).facts.scaleFactor).toBe(1);
    expect(run(taskOf(shape), Float32Array.of(1, 0, 1, 0)).facts.scaleFactor).toBeCloseTo((2 / 128) * 127, 2);
  });
});

describe('weights that an algorithm rounded', () => {
  const shape = { outputs: 1, channels: 2, taps: 2 };
  const rounded = (values: readonly number[]): RoundedWeight => ({
    values: Int8Array.from(values),
    scales: Float32Array.of(0.5),
    scalesAlong: 'rows',
  });

  it('are refused where they would saturate', () => {
    const emit = (values: readonly number[]) => emitRounded(taskOf(shape), rounded(values), () => undefined);
    expect(() => emit([100, 100, 0, 0])).not.toThrow();
    expect(() => emit([100, 0, 100, 0])).toThrow(/saturates in rows 0/);
  });

  it('are refused where they do not fit', () => {
    expect(() => emitRounded(taskOf(shape), rounded([1, 2, 3]), () => undefined)).toThrow(
      /does not fit \[1, 4\] by rows/,
    );
    expect(() => emitRounded(taskOf(shape, { scales: 'columns' }), rounded([1, 2, 3, 4]), () => undefined)).toThrow(
      /does not fit/,
    );
  });

  it('take the biases and the unsigned type of the task', () => {
    const emitted: number[][] = [];
    const biases = [{ values: Float32Array.of(1), activationScale: 0.25 }];
    const task = taskOf(shape, { range: 'full', elementType8: 'uint8', sameGrid: true, biases });
    emitRounded(task, rounded([-128, 0, 1, 127]), (part, _offset, bytes) => (emitted[part] = [...bytes]));
    expect(emitted[0]).toEqual([0, 128, 129, 255]);
    expect(emitted[2]).toEqual([128]);
    expect(new Int32Array(Uint8Array.from(emitted[3] as number[]).buffer)[0]).toBe(8);
    expect(new Float32Array(Uint8Array.from(emitted[4] as number[]).buffer)[0]).toBe(0.125);
  });
});
