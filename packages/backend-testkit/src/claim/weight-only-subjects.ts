import { bitWidth, type Capability, seededRandom } from '@optimum/core';
import { floats, type Numbers, type Subject } from './subject.ts';
import { lookup } from './table-subjects.ts';

/** Relative error of float32 sums and scales over the few hundred terms here. */
const float32Error = 2 ** -19;

/** Weights [columns, depth] as integers, with a scale (and perhaps a zero point) for each block along the depth. */
interface Blocks {
  readonly bits: number;
  readonly block: number;
  readonly depth: number;
  readonly columns: number;
  readonly perColumn: number;
  readonly integers: Uint8Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array | undefined;
}

function drawBlocks(bits: number, block: number, depth: number, columns: number, hasZeroPoints: boolean): Blocks {
  const random = seededRandom(bits * 1000 + block);
  const perColumn = Math.ceil(depth / block);
  const [top, middle] = [2 ** bits - 1, 2 ** (bits - 1)];
  const integers = Uint8Array.from({ length: columns * depth }, () => random.pick([0, top, random.integer(top + 1)]));
  const scales = Float32Array.from({ length: columns * perColumn }, () => (0.2 + random.next()) / middle);
  const zeroPoints = hasZeroPoints
    ? Uint8Array.from({ length: columns * perColumn }, () => random.integer(top + 1))
    : undefined;
  return { bits, block, depth, columns, perColumn, integers, scales, zeroPoints };
}

/** Weight k of a column, in float64. */
const weightAt = (
  { bits, block, depth, perColumn, integers, scales, zeroPoints }: Blocks,
  column: number,
  k: number,
) => {
  const at = column * perColumn + Math.floor(k / block);
  const zeroPoint = zeroPoints ? (zeroPoints[at] as number) : 2 ** (bits - 1);
  return ((integers[column * depth + k] as number) - zeroPoint) * (scales[at] as number);
};

/** Numbers of few bits in bytes, the first in the lowest bits; each of `runs` runs starts in a byte of its own. */
function packed(values: Uint8Array, runs: number, bytesPerRun: number, bits: number): Uint8Array {
  const bytes = new Uint8Array(runs * bytesPerRun);
  const perRun = values.length / runs;
  for (let at = 0; at < values.length; at++) {
    const [run, place] = [Math.floor(at / perRun), at % perRun];
    const byte = run * bytesPerRun + Math.floor((place * bits) / 8);
    bytes[byte] = (bytes[byte] as number) | ((values[at] as number) << ((place * bits) % 8));
  }
  return bytes;
}

const bytesOf = (dims: readonly number[], values: Uint8Array): Numbers => ({
  elementType: 'uint8',
  dims,
  values: [...values],
});

/**
 * Products by weights of few bits, each block of which has a scale. The weights are taken as they are stored, so that the
 * bound is the kernel's own: float32 rounding; and at accuracy level 4, where activations are rounded to 254 steps of
 * their block while it runs, half such a step times the weight for each term.
 */
export function matrixSubjects(claim: Capability): Subject[] {
  const rows = [Math.min(claim.rows?.least ?? 1, 9), Math.min(claim.rows?.most ?? 9, 9)];
  return (claim.blocks ?? []).flatMap((block, index) => [
    matrixSubject(claim, { block, rows: rows[index % 2] as number, depth: 2 * block, columns: 33 }, false),
    // A last block that is not full.
    matrixSubject(
      claim,
      { block, rows: rows[(index + 1) % 2] as number, depth: block + 24, columns: 16 },
      !isSigned(claim),
    ),
  ]);
}

interface MatrixShape {
  readonly block: number;
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

function matrixSubject(claim: Capability, shape: MatrixShape, hasZeroPoints: boolean): Subject {
  const { block, rows, depth, columns } = shape;
  const bits = bitWidth(claim.weight);
  const level = claim.accuracyLevel ?? 0;
  const blocks = drawBlocks(bits, block, depth, columns, hasZeroPoints);
  const random = seededRandom(block + rows);
  const x = Float32Array.from({ length: rows * depth }, () => random.normal());
  const half = level === 4 ? activationHalfSteps(x, block, depth) : new Float64Array(x.length);
  const expected = new Float64Array(rows * columns);
  const allowed = new Float64Array(rows * columns);
  for (let column = 0; column < columns; column++)
    for (let k = 0; k < depth; k++) {
      const weight = weightAt(blocks, column, k);
      for (let row = 0; row < rows; row++) {
        const [at, from] = [row * columns + column, row * depth + k];
        const value = x[from] as number;
        expected[at] = (expected[at] as number) + value * weight;
        allowed[at] =
          (allowed[at] as number) + Math.abs(weight) * ((half[from] as number) + float32Error * Math.abs(value));
      }
    }
  return {
    label: `${rows}×${depth}×${columns} in blocks of ${block}${hasZeroPoints ? ' with zero points' : ''}`,
    inputs: [floats([rows, depth], x)],
    ...(isSigned(claim) ? standardForm(blocks, claim) : contribForm(blocks, level)),
    outputDims: [rows, columns],
    expected,
    allowed,
    parameters: {},
  };
}

/** The runtime's own operator takes unsigned weights; signed ones are those of standard ONNX. */
const isSigned = ({ weight }: Pick<Capability, 'weight'>): boolean => weight.startsWith('int');

type Written = Pick<Subject, 'constants' | 'body'>;

/** MatMulNBits: each column's blocks in bytes of their own, the last one filled up. */
function contribForm(blocks: Blocks, level: 0 | 4): Written {
  const { bits, block, depth, columns, perColumn, integers, scales, zeroPoints } = blocks;
  const full = new Uint8Array(columns * perColumn * block);
  for (let column = 0; column < columns; column++)
    full.set(integers.subarray(column * depth, (column + 1) * depth), column * perColumn * block);
  const zeroBytes = Math.ceil((perColumn * bits) / 8);
  return {
    constants: {
      w: bytesOf([columns, perColumn, (block * bits) / 8], packed(full, 1, (full.length * bits) / 8, bits)),
      s: floats([columns * perColumn], scales),
      ...(zeroPoints && { z: bytesOf([columns * zeroBytes], packed(zeroPoints, columns, zeroBytes, bits)) }),
    },
    body: `$y = com.microsoft.MatMulNBits <K = ${depth}, N = ${columns}, bits = ${bits}, block_size = ${block}, accuracy_level = ${level}> ($x0, $w, $s${zeroPoints ? ', $z' : ''})`,
  };
}

/** DequantizeLinear on blocks along the first axis of [K, N], then MatMul. */
function standardForm(
  { bits, block, depth, columns, perColumn, integers, scales }: Blocks,
  { weight }: Capability,
): Written {
  const middle = 2 ** (bits - 1);
  const at = <T extends ArrayLike<number>>(values: T, height: number): number[] =>
    Array.from(
      { length: height * columns },
      (_, index) => values[(index % columns) * height + Math.floor(index / columns)] as number,
    );
  return {
    constants: {
      w: { elementType: weight, dims: [depth, columns], values: at(integers, depth).map((value) => value - middle) },
      s: floats([perColumn, columns], at(scales, perColumn)),
    },
    body: `$d = DequantizeLinear <axis = 0, block_size = ${block}> ($w, $s)  $y = MatMul ($x0, $d)`,
  };
}

/** For each activation, half of one of the 254 steps that its block of the row has. */
function activationHalfSteps(x: Float32Array, block: number, depth: number): Float64Array {
  const half = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += depth)
    for (let first = row; first < row + depth; first += block) {
      const end = Math.min(first + block, row + depth);
      const largest = x.subarray(first, end).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      half.fill(largest / 127 / 2, first, end);
    }
  return half;
}

/** Lookups in a table of few bits: what comes out is the stored number times its scale. */
export function blockTableSubjects({ weight, blocks = [] }: Capability): Subject[] {
  return blocks.map((block) => {
    const [count, width] = [20, 2 * block];
    const bits = bitWidth(weight);
    const table = drawBlocks(bits, block, width, count, false);
    const ids = Array.from({ length: 6 }, (_, index) => (index * 7) % count);
    // Tensors of 4 bits are counted from 0, bytes from the middle.
    const zeroPoint = weight === 'uint8' ? 128 : 0;
    const signed = (value: number): number => (weight.startsWith('int') ? value - 2 ** (bits - 1) : value);
    const values = Array.from(table.integers, signed);
    const expected = Float64Array.from({ length: ids.length * width }, (_, at) => {
      const place = lookup(ids, at, width);
      return ((values[place] as number) - zeroPoint) * (table.scales[Math.floor(place / block)] as number);
    });
    return {
      label: `Gather of ${count}×${width} in blocks of ${block}`,
      inputs: [{ elementType: 'int64', dims: [2, 3], values: ids }],
      constants: {
        w: { elementType: weight, dims: [count, width], values },
        s: floats([count, table.perColumn], table.scales),
      },
      body: `$y = com.microsoft.GatherBlockQuantized <gather_axis = 0, quantize_axis = 1, block_size = ${block}, bits = ${bits}> ($w, $x0, $s)`,
      outputDims: [2, 3, width],
      expected,
      allowed: expected.map((value) => Math.abs(value) * 2 ** -22),
      parameters: {},
    };
  });
}
