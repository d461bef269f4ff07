import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Capability,
  featuresOf,
  holdsOn,
  parseModel,
  seededRandom,
  serializeModel,
  type TensorData,
  walkNodes,
} from '@optimum/core';
import { loadModelSync, readCpuFacts } from '@optimum/core/node';
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from './runtime.ts';
import { staticCapabilities } from './static-capabilities.ts';

const features = featuresOf(readCpuFacts());
const runtime = createOnnxRuntime();
const folder = mkdtempSync(join(tmpdir(), 'optimum-claims-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One operator between integers, in ONNX text. */
interface Subject {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly output: readonly number[];
  readonly constants?: string;
  /** From `d0`, `d1`, … to `o`, all float. */
  readonly body: string;
  /** The output has the scale of the input, because the operator only moves numbers. */
  readonly isMover?: boolean;
}

const image = [1, 4, 6, 6] as const;

function weightOf({ weight }: Capability, dims: readonly number[]): string {
  const random = seededRandom(3);
  const lowest = weight === 'int8' ? -100 : 28;
  const count = dims.reduce((a, b) => a * b, 1);
  return `${weight}[${dims}] wq = {${Array.from({ length: count }, () => lowest + random.integer(200))}}`;
}

/** Weight and bias in integers, with scales by channel where the claim has them. */
function weighted(claim: Capability, dims: readonly number[], axis: number): string {
  const count = dims[axis] as number;
  const isByChannel = claim.granularity.includes('channel');
  const repeat = (value: number): string => `{${Array.from({ length: isByChannel ? count : 1 }, () => value)}}`;
  const shape = isByChannel ? `[${count}]` : '';
  const zero = claim.weight === 'int8' ? 0 : 128;
  const scales = `float${shape} ws = ${repeat(0.01)}, ${claim.weight}${shape} wz = ${repeat(zero)}, float${shape} bs = ${repeat(0.0002)}, int32${shape} bz = ${repeat(0)}`;
  return `${weightOf(claim, dims)}, int32[${count}] bq = {${Array.from({ length: count }, (_, index) => index * 50)}}, ${scales}`;
}

const weightBody = (axis: number): string =>
  `w = DequantizeLinear <axis = ${axis}> (wq, ws, wz)  b = DequantizeLinear <axis = 0> (bq, bs, bz)`;

function convolution(claim: Capability): Subject {
  const group = claim.filters === 'depthwise' ? 4 : 1;
  const dims = [8, 4 / group, 3, 3];
  if (group > 1) dims[0] = 4;
  const body = `${weightBody(0)}  o = Conv <group = ${group}, pads = [1, 1, 1, 1]> (d0, w, b)`;
  return { inputs: { x0: image }, output: [1, dims[0] as number, 6, 6], constants: weighted(claim, dims, 0), body };
}

const product =
  (op: 'MatMul' | 'Gemm') =>
  (claim: Capability): Subject => ({
    inputs: { x0: [4, 8] },
    output: [4, 6],
    constants: weighted(claim, [8, 6], 1),
    body:
      op === 'Gemm'
        ? `${weightBody(1)}  o = Gemm (d0, w, b)`
        : 'w = DequantizeLinear <axis = 1> (wq, ws, wz)  o = MatMul (d0, w)',
  });

const two = { x0: image, x1: image };
const unary = (op: string, output: readonly number[] = image): Subject => ({
  inputs: { x0: image },
  output,
  body: `o = ${op} (d0)`,
});
const mover = (op: string, output: readonly number[], constants?: string, more = ''): Subject => ({
  ...unary(op, output),
  isMover: true,
  ...(constants && { constants }),
  body: `o = ${op} (d0${more})`,
});

const subjects: Readonly<Record<string, (claim: Capability) => Subject>> = {
  Conv: convolution,
  MatMul: product('MatMul'),
  Gemm: product('Gemm'),
  Add: () => ({ inputs: two, output: image, body: 'o = Add (d0, d1)' }),
  Mul: () => ({ inputs: two, output: image, body: 'o = Mul (d0, d1)' }),
  Concat: () => ({ inputs: two, output: [1, 8, 6, 6], body: 'o = Concat <axis = 1> (d0, d1)' }),
  Where: () => ({ inputs: two, output: image, constants: 'bool[6] c = {1,0,0,1,0,1}', body: 'o = Where (c, d0, d1)' }),
  Sigmoid: () => unary('Sigmoid'),
  LeakyRelu: () => unary('LeakyRelu <alpha = 0.1>'),
  Softmax: () => unary('Softmax <axis = 3>'),
  AveragePool: () => unary('AveragePool <kernel_shape = [2, 2], strides = [2, 2]>', [1, 4, 3, 3]),
  GlobalAveragePool: () => unary('GlobalAveragePool', [1, 4, 1, 1]),
  Transpose: () => mover('Transpose <perm = [0, 2, 3, 1]>', [1, 6, 6, 4]),
  Reshape: () => mover('Reshape', [1, 4, 36], 'int64[3] shape = {1,4,36}', ', shape'),
  Squeeze: () => mover('Squeeze <axes = [0]>', [4, 6, 6]),
  Unsqueeze: () => mover('Unsqueeze <axes = [0]>', [1, ...image]),
  Flatten: () => mover('Flatten', [1, 144]),
  Slice: () =>
    mover('Slice', [1, 2, 6, 6], 'int64[1] start = {1}, int64[1] end = {3}, int64[1] axis = {1}', ', start, end, axis'),
  Expand: () => mover('Expand', [2, 4, 6, 6], 'int64[4] shape = {2,4,6,6}', ', shape'),
  DepthToSpace: () => mover('DepthToSpace <blocksize = 2>', [1, 1, 12, 12]),
  ReduceMax: () => mover('ReduceMax <axes = [3]>', [1, 4, 6, 1]),
  Resize: () =>
    mover('Resize <mode = "nearest">', [1, 4, 12, 12], 'float[0] roi = {}, float[4] sizes = {1,1,2,2}', ', roi, sizes'),
  MaxPool: () => mover('MaxPool <kernel_shape = [2, 2], strides = [2, 2]>', [1, 4, 3, 3]),
};

/** DequantizeLinear, the operator, QuantizeLinear. */
function modelOf(claim: Capability): Uint8Array {
  const { inputs, output, constants, body, isMover } = (subjects[claim.op] as (claim: Capability) => Subject)(claim);
  const names = Object.entries(inputs);
  const parameters = 'float s = {0.02}, uint8 z = {120}, float r = {0.05}, uint8 q = {100}';
  const dequantized = names.map(([name], index) => `d${index} = DequantizeLinear (${name}, s, z)`).join('  ');
  const quantized = `y = QuantizeLinear (o, ${isMover ? 's, z' : 'r, q'})`;
  const model = parseModel(
    `<ir_version: 7, opset_import: ["": ${claim.opset}]> g (${names.map(([name, dims]) => `uint8[${dims}] ${name}`)}) => (uint8[${output}] y)
     <${parameters}${constants ? `, ${constants}` : ''}> { ${dequantized}  ${body}  ${quantized} }`,
  );
  return serializeModel(model);
}

function feedsOf(claim: Capability): Record<string, TensorData> {
  const random = seededRandom(5);
  const { inputs } = (subjects[claim.op] as (claim: Capability) => Subject)(claim);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, dims]) => {
      const bytes = Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.integer(256));
      return [name, { elementType: 'uint8', dims, bytes }];
    }),
  );
}

async function outputOf(claim: Capability, optimization: 'all' | 'disabled', optimizedModelPath?: string) {
  const options = { optimization, ...(optimizedModelPath && { optimizedModelPath }) };
  const session = await runtime.createSession({ bytes: modelOf(claim) }, options);
  try {
    return (await session.run(feedsOf(claim))).y?.bytes ?? new Uint8Array();
  } finally {
    await session.close();
  }
}

describe('static capabilities', () => {
  it('have ids of their own, and say how they are known', () => {
    const ids = staticCapabilities.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { speed, source, kernels, mode } of staticCapabilities) {
      expect(speed).toBeGreaterThan(0);
      expect(source).not.toBe('');
      expect(kernels.length).toBeGreaterThan(0);
      expect(mode).toBe('static');
    }
  });

  for (const claim of staticCapabilities) {
    it.skipIf(!holdsOn(claim, features))(
      `${claim.id} becomes ${claim.kernels.join(' or ')}, within one step`,
      async () => {
        const path = join(folder, `${claim.id}.onnx`);
        const integer = await outputOf(claim, 'all', path);
        const { model, close } = loadModelSync(path);
        const operators = [...walkNodes(model)].map(({ op }) => op);
        close();
        expect(claim.kernels.filter((kernel) => operators.includes(kernel))).not.toEqual([]);
        // Nothing is turned into float and back.
        expect(operators).not.toContain('DequantizeLinear');
        expect(operators).not.toContain('QuantizeLinear');
        const float = await outputOf(claim, 'disabled');
        expect(integer.length).toBe(float.length);
        // Both round once from nearly the same number, which may lie on either side of a half.
        const worst = integer.reduce(
          (most, value, index) => Math.max(most, Math.abs(value - (float[index] as number))),
          0,
        );
        expect(worst).toBeLessThanOrEqual(1);
        expect(new Set(integer).size).toBeGreaterThan(2);
      },
    );
  }
});
