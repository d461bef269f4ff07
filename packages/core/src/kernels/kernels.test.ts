import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberToFloat16, seededRandom } from '../foundation/index.ts';
import { createKernels, type Kernels } from './kernels.ts';

const wasm = createKernels({ kind: 'wasm-simd' });
const plain = createKernels({ kind: 'typescript' });
const at = 4096;

/** Puts bytes at `at` in both memories, runs, and returns `length` bytes from `out` of each. */
function both(
  input: ArrayBufferView,
  length: number,
  run: (kernels: Kernels, out: number) => void,
): [Uint8Array, Uint8Array] {
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  const out = at + Math.ceil(bytes.byteLength / 64) * 64 + 64;
  const [a, b] = [wasm, plain].map((kernels) => {
    kernels.grow(out + length + 64);
    new Uint8Array(kernels.buffer).fill(0, out, out + length);
    new Uint8Array(kernels.buffer).set(bytes, at);
    run(kernels, out);
    return new Uint8Array(kernels.buffer).slice(out, out + length);
  });
  return [a as Uint8Array, b as Uint8Array];
}

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-3e38), max: Math.fround(3e38) });
const matrix = fc
  .record({ rows: fc.integer({ min: 0, max: 9 }), columns: fc.integer({ min: 1, max: 37 }), seed: fc.integer() })
  .map(({ rows, columns, seed }) => {
    const random = seededRandom(seed);
    const special = [0, -0, 1e-40, -1e-44, 0.5, -0.5, 1.5, 2.5, -2.5, 127.5, -128.5, 300];
    const values = Float32Array.from({ length: rows * columns }, () =>
      random.next() < 0.2 ? random.pick(special) : random.normal() * 40,
    );
    return { rows, columns, values };
  });

function expectSame([a, b]: [Uint8Array, Uint8Array]): void {
  expect(Buffer.from(a).equals(Buffer.from(b))).toBe(true);
}

describe('WebAssembly and TypeScript kernels agree to the bit', () => {
  it('ranges', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 70 }), (list) => {
        const values = Float32Array.from(list);
        expectSame(both(values, 8, (k, out) => k.minMax(at, values.length, out)));
        expectSame(
          both(values, 4, (k, out) => new DataView(k.buffer).setFloat32(out, k.absMax(at, values.length), true)),
        );
      }),
    );
  });

  it('ranges of columns, rows and pairs', () => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, values }) => {
        expectSame(both(values, columns * 4, (k, out) => k.absMaxColumns(at, rows, columns, out)));
        expectSame(both(values, rows * 4, (k, out) => k.absMaxRows(at, rows, columns, out)));
        expectSame(both(values, columns * 4, (k, out) => k.pairMaxColumns(at, rows, columns, out)));
        expectSame(both(values, rows * 4, (k, out) => k.pairMaxRows(at, rows, columns, out)));
      }),
    );
  });

  it('quantization', () => {
    fc.assert(
      fc.property(
        matrix,
        fc.double({ min: 0.01, max: 3, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        (m, scale, zeroPoint) => {
          const { rows, columns, values } = m;
          expectSame(both(values, values.length, (k, out) => k.quantizeInt8(at, values.length, out, scale)));
          expectSame(
            both(values, values.length, (k, out) => k.quantizeUint8(at, values.length, out, scale, zeroPoint)),
          );
          const withScales = (count: number) => {
            const joined = new Float32Array(values.length + count);
            joined.set(values);
            for (let i = 0; i < count; i++) joined[values.length + i] = scale * (1 + (i % 7));
            return joined;
          };
          const scales = at + values.length * 4;
          expectSame(
            both(withScales(columns), values.length, (k, out) => k.quantizeInt8Columns(at, rows, columns, out, scales)),
          );
          expectSame(
            both(withScales(rows), values.length, (k, out) => k.quantizeInt8Rows(at, rows, columns, out, scales)),
          );
        },
      ),
    );
  });

  it('pair violations, layout and sign', () => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, values }) => {
        const q = Int8Array.from(values, (value) => value * 3);
        const count: number[] = [];
        expectSame(both(q, columns, (k, out) => count.push(k.pairViolationColumns(at, rows, columns, out))));
        expect(count[0]).toBe(count[1]);
        expectSame(both(q, rows, (k, out) => count.push(k.pairViolationRows(at, rows, columns, out))));
        expect(count[2]).toBe(count[3]);
        expectSame(both(q, q.length, (k, out) => k.transposeBytes(at, rows, columns, out)));
        const copy = (k: Kernels, out: number) => {
          new Uint8Array(k.buffer).copyWithin(out, at, at + q.length);
          k.flipSignBit(out, q.length);
        };
        expectSame(both(q, q.length, copy));
      }),
    );
  });

  it('all 65,536 half floats', () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, pattern) => pattern);
    const [a, b] = both(halves, 65_536 * 4, (k, out) => k.float16ToFloat32(at, halves.length, out));
    const [x, y] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
    const wrong = halves.filter((_, i) => !Object.is(x[i], y[i]) && !(Number.isNaN(x[i]) && Number.isNaN(y[i])));
    expect([...wrong]).toEqual([]);
    expect([...halves].filter((p, i) => Number.isFinite(x[i]) && numberToFloat16(x[i] as number) !== p)).toEqual([]);
  });
});

describe.each([
  ['wasm-simd', wasm],
  ['typescript', plain],
] as const)('%s', (_name, k) => {
  const put = (values: ArrayLike<number>): number => {
    new Float32Array(k.buffer, at, values.length).set(values);
    return values.length;
  };

  it('shows what is not finite, wherever it is', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const index of [0, 5, 15, 16, 31, 36]) {
        const values = Array.from({ length: 37 }, (_, i) => (i === index ? bad : i));
        put(values);
        expect(Number.isFinite(k.absMax(at, 37))).toBe(false);
        k.minMax(at, 37, 512 + at);
        expect(new Float32Array(k.buffer, 512 + at, 2)).toEqual(Float32Array.of(Number.NaN, Number.NaN));
        new Float32Array(k.buffer, 1024 + at, 37).fill(0);
        k.absMaxColumns(at, 1, 37, 1024 + at);
        expect(Number.isFinite(new Float32Array(k.buffer, 1024 + at, 37)[index])).toBe(false);
      }
    }
  });

  it('rounds half to even and saturates', () => {
    const count = put([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, 1000, -127.5, -128.5, -1000]);
    k.quantizeInt8(at, count, 8192, 1);
    expect([...new Int8Array(k.buffer, 8192, count)]).toEqual([0, 2, 2, 0, -2, -2, 126, 127, 127, -128, -128, -128]);
  });

  it('finds the pairs that can pass 16 bits, and only those', () => {
    const q = new Int8Array(k.buffer, at, 8);
    q.set([64, 65, 127, -127, 64, 64, -127, 127]);
    new Uint8Array(k.buffer).fill(0, 8192, 8196);
    expect(k.pairViolationColumns(at, 2, 4, 8192)).toBe(1);
    expect([...new Uint8Array(k.buffer, 8192, 4)]).toEqual([0, 1, 0, 0]);
  });
});
