import { type Random, seededRandom } from '@optimum/core';
import { spreadActivations } from './activations.ts';
import { image, pooled, sigmoid } from './elementwise-subjects.ts';
import { outputParameters, roundedTo } from './output-step.ts';
import { countOf, floats, type Numbers, type Subject } from './subject.ts';

/** An operator that only moves numbers: where each output comes from. */
interface Mover {
  readonly body: string;
  readonly outputDims: readonly number[];
  readonly constants?: Readonly<Record<string, Numbers>>;
  /** Inputs of output `at`: the largest of them is taken. @defaultValue as they lie */
  from?(at: number): readonly number[];
}

const int64 = (...values: readonly number[]): Numbers => ({ elementType: 'int64', dims: [values.length], values });

/** Channel, row and column of position `at` in [1, c, h, w]. */
const place = (at: number, height: number, width: number): readonly [number, number, number] => [
  Math.floor(at / (height * width)),
  Math.floor(at / width) % height,
  at % width,
];
const at = (channel: number, row: number, column: number): readonly number[] => [channel * 36 + row * 6 + column];

const operators: Readonly<Record<string, Mover>> = {
  Transpose: {
    body: 'Transpose <perm = [0, 2, 3, 1]> ($f)',
    outputDims: [1, 6, 6, 4],
    from: (to) => at(to % 4, Math.floor(to / 24), Math.floor(to / 4) % 6),
  },
  Reshape: { body: 'Reshape ($f, $shape)', outputDims: [1, 4, 36], constants: { shape: int64(1, 4, 36) } },
  Squeeze: { body: 'Squeeze <axes = [0]> ($f)', outputDims: [4, 6, 6] },
  Unsqueeze: { body: 'Unsqueeze <axes = [0]> ($f)', outputDims: [1, 1, 4, 6, 6] },
  Flatten: { body: 'Flatten ($f)', outputDims: [1, 144] },
  Slice: {
    body: 'Slice ($f, $start, $end, $axis)',
    outputDims: [1, 2, 6, 6],
    constants: { start: int64(1), end: int64(3), axis: int64(1) },
    from: (to) => [to + 36],
  },
  Expand: {
    body: 'Expand ($f, $shape)',
    outputDims: [2, 4, 6, 6],
    constants: { shape: int64(2, 4, 6, 6) },
    from: (to) => [to % 144],
  },
  DepthToSpace: {
    body: 'DepthToSpace <blocksize = 2> ($f)',
    outputDims: [1, 1, 12, 12],
    from: (to) => {
      const [, row, column] = place(to, 12, 12);
      return at((row % 2) * 2 + (column % 2), Math.floor(row / 2), Math.floor(column / 2));
    },
  },
  ReduceMax: {
    body: 'ReduceMax <axes = [3]> ($f)',
    outputDims: [1, 4, 6, 1],
    from: (to) => Array.from({ length: 6 }, (_, index) => to * 6 + index),
  },
  Resize: {
    body: 'Resize <mode = "nearest"> ($f, $roi, $sizes)',
    outputDims: [1, 4, 12, 12],
    constants: { roi: floats([0], []), sizes: floats([4], [1, 1, 2, 2]) },
    from: (to) => {
      const [channel, row, column] = place(to, 12, 12);
      return at(channel, Math.floor(row / 2), Math.floor(column / 2));
    },
  },
  MaxPool: {
    body: 'MaxPool <kernel_shape = [2, 2], strides = [2, 2]> ($f)',
    outputDims: [1, 4, 3, 3],
    from: pooled,
  },
};

/** Sigmoid before and behind, so that there are integers on both sides. */
export const frame = 'Sigmoid';

/**
 * A mover between two operators that are integer. Its own integers are exact; the bound is what the two around it leave:
 * each Sigmoid is at most a quarter as steep as its input, and rounds.
 */
export function moverSubject(op: string, seed: number): Subject | undefined {
  const mover = Object.hasOwn(operators, op) ? operators[op] : undefined;
  if (!mover) return undefined;
  const random: Random = seededRandom(seed);
  const x = spreadActivations(countOf(image), random);
  const from = mover.from ?? ((to) => [to]);
  const moved = Float64Array.from({ length: countOf(mover.outputDims) }, (_, to) =>
    Math.max(...from(to).map((index) => sigmoid(x.values[index] as number))),
  );
  const middle = outputParameters(moved);
  const before = x.parameters.scale / 2 / 4 + (0.5 + 2 ** -10) * middle.scale;
  const expected = moved.map(sigmoid);
  const y = outputParameters(expected);
  return {
    label: `${op} of ${image.join('×')}`,
    inputs: [floats(image, x.values)],
    constants: mover.constants ?? {},
    body: `$f = ${frame} ($x0)  $g = ${mover.body}  $y = ${frame} ($g)`,
    outputDims: mover.outputDims,
    ...roundedTo(y, { expected, allowed: new Float64Array(expected.length).fill(before / 4) }, false),
    parameters: { x0: x.parameters, f: middle, y },
  };
}
