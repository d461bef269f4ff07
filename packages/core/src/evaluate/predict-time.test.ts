import { describe, expect, it } from 'vitest';
import { inferTypes } from '../analysis/index.ts';
import type { CostTable } from '../backend/index.ts';
import type { Node, Value } from '../ir/index.ts';
import { parseModel } from '../text/index.ts';
import { kernelsOf } from './operator-kernels.ts';
import { predictSpeed } from './predict-time.ts';

const at = (kernel: string, microseconds: number, rows = 1, depth = 1, columns = 1) => ({
  ...{ kernel, rows, depth, columns, microseconds },
});

/** Float products of a row take 10 µs, integer ones 4; elementwise operators 1 µs for 128 numbers, quantization 2. */
const table: CostTable = {
  schemaVersion: 1,
  probeVersion: 1,
  runtime: { id: 'test', version: '1' },
  cpu: { modelName: '', architecture: 'x64', features: [] },
  behaviour: { u8s8: 'exact' },
  kernels: [
    at('run', 10),
    ...[1, 10].flatMap((rows) => [
      at('matmul-float32', rows * 10, rows, 100, 100),
      at('matmul-u8s8-dynamic', rows * 4, rows, 100, 100),
    ]),
    at('quantize-dynamic', 2, 1, 1, 128),
    at('quantize-dynamic', 16, 8, 1, 128),
    ...['relu', 'add', 'layer-norm', 'skip-layer-norm'].flatMap((kernel) => [
      at(kernel, kernel === 'skip-layer-norm' ? 9 : 1, 1, 1, 128),
      at(kernel, kernel === 'skip-layer-norm' ? 90 : 8, 8, 1, 128),
    ]),
  ],
  measuredAt: '',
  durationMs: 0,
  unrest: 0,
};

const zeros = (count: number): string => `{${Array.from({ length: count }, () => 0)}}`;
const modelOf = (body: string) =>
  parseModel(
    `<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]> g (float[10,100] x) => (y)
     <float[100,100] w = ${zeros(10_000)}, float[100,100] v = ${zeros(10_000)}, float[100] b = ${zeros(100)}> { ${body} }`,
  );

function predict(body: string, quantized: readonly string[], splitsSkipLayerNorm = false) {
  const model = modelOf(body);
  const types = inferTypes(model);
  const shapeOf = (value: Value): number[] | undefined => {
    const type = types.typeOf(value);
    return type?.kind === 'tensor' ? type.shape?.map(Number) : undefined;
  };
  const isQuantized = (node: Node): boolean => quantized.includes(node.name ?? '');
  return predictSpeed(model, { table, shapeOf, isQuantized, splitsSkipLayerNorm });
}

describe('predictSpeed', () => {
  it('adds up what the operators take', () => {
    const { floatUs, plannedUs, speedup } = predict('[p] y = MatMul (x, w)', ['p']);
    expect(floatUs).toBeCloseTo(10 + 100, 6);
    expect(plannedUs).toBeCloseTo(10 + 40, 6);
    expect(speedup).toBeCloseTo(110 / 50, 6);
  });

  it('quantizes once what several products read', () => {
    const { plannedUs } = predict('[p] r = MatMul (x, w)  [q] s = MatMul (x, v)  y = Add (r, s)', ['p', 'q']);
    const apart = predict('[p] r = MatMul (x, w)  [q] y = MatMul (r, v)', ['p', 'q']).plannedUs;
    // One quantization less, and one addition more, of 1000 numbers each.
    const eighths = 1000 / 128;
    expect(plannedUs).toBeCloseTo(apart - 2 * eighths + eighths, 6);
  });

  it('gives biases to integer products, and leaves other additions', () => {
    const body = '[p] r = MatMul (x, w)  y = Add (r, b)';
    const alone = predict('[p] y = MatMul (x, w)', ['p']).plannedUs;
    expect(predict(body, ['p']).plannedUs).toBeCloseTo(alone, 6);
    expect(predict(body, []).plannedUs).toBeGreaterThan(predict('[p] y = MatMul (x, w)', []).plannedUs);
    const read = '[p] r = MatMul (x, w)  s = Add (r, b)  y = Add (r, s)';
    expect(predict(read, ['p']).nodes.every(({ plannedUs }) => plannedUs > 0)).toBe(true);
  });

  it('takes fused normalizations apart where the runtime no longer fuses them', () => {
    const body = 'y = com.microsoft.SkipLayerNormalization (x, x, b)';
    expect(predict(body, [], false).speedup).toBeCloseTo(1, 9);
    expect(predict(body, [], true).speedup).toBeGreaterThan(2);
  });

  it('counts nothing for what the runtime computes once', () => {
    expect(predict('t = Transpose <perm = [1, 0]> (w)  y = MatMul (x, t)', []).nodes).toHaveLength(1);
  });
});

describe('kernelsOf', () => {
  const uses = (body: string, dims: Record<string, readonly number[]>) => {
    const model = modelOf(body);
    const node = [...model.graph.nodes()].at(-1) as Node;
    return kernelsOf(node, ({ name }) => dims[name ?? '']);
  };

  it('counts heads of attention as small products', () => {
    const [use] = uses('z = Neg (x)  y = MatMul (x, z)', { x: [2, 12, 128, 64], y: [2, 12, 128, 128] });
    expect(use).toMatchObject({
      kernel: 'matmul-float32-computed',
      count: 24,
      shape: { rows: 128, depth: 64, columns: 128 },
    });
  });

  it('knows the rows of normalizations, and copies what it does not know', () => {
    expect(uses('y = Softmax (x)', { x: [2, 3, 5] })[0]).toMatchObject({
      kernel: 'softmax',
      shape: { rows: 6, columns: 5 },
    });
    expect(uses('y = own.Thing (x)', { x: [4], y: [256] })[0]).toMatchObject({
      kernel: 'relu',
      shape: { rows: 2, columns: 128 },
    });
    expect(uses('y = Softmax (x)', {})).toEqual([]);
  });
});
