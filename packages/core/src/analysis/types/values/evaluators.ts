import type { Dim, ValueType } from '../../../ir/index.ts';
import { isTensorLike } from '../merge-types.ts';
import type { OperatorContext } from '../operator-context.ts';
import { shapeSlice } from '../rules/generators.ts';
import { sliceBounds } from '../rules/slicing.ts';
import { productOf } from '../shapes.ts';
import { broadcastReader, smallCount, tabulate } from './indexing.ts';
import { type ScalarFunction, scalarFunctions } from './scalar-functions.ts';

export type Values = readonly Dim[];
/** Elements of the outputs, as far as they are known; each output has a small known shape. */
export type Evaluator = (
  op: OperatorContext,
  shapes: readonly (readonly number[] | undefined)[],
) => (Values | undefined)[];

/** The data of an input with its shape. */
function read(op: OperatorContext, index: number): { values: Values; shape: readonly number[] } | undefined {
  const [values, shape] = [op.values(index), op.shape(index)];
  const count = smallCount(shape);
  return values && shape && values.length === count ? { values, shape: shape as readonly number[] } : undefined;
}

const isInteger = (type: ValueType | undefined): boolean =>
  !(isTensorLike(type) && type.elementType?.includes('float'));

const elementwise =
  (compute: ScalarFunction): Evaluator =>
  (op, [shape]) => {
    const operands = op.node.inputs.map((_, index) => read(op, index));
    if (!shape || !operands.every((operand) => operand !== undefined)) return [];
    const readers = operands.map(({ values, shape: own }) => broadcastReader(values, own));
    const whole = isInteger(op.type(0));
    return [
      tabulate(shape, (position) =>
        compute(
          readers.map((reader) => reader(position)),
          op.algebra,
          whole,
        ),
      ),
    ];
  };

/** The same elements in another shape. */
const copy: Evaluator = (op) => [op.values(0)];

const cast: Evaluator = (op) => {
  const to = op.elementAttribute('to');
  const toInteger = to !== undefined && !to.includes('float') && to !== 'string';
  return [
    op.values(0)?.map((value) => {
      if (typeof value !== 'number') return to === 'bool' ? null : value;
      if (to === 'bool') return value === 0 ? 0 : 1;
      return toInteger ? Math.trunc(value) : value;
    }),
  ];
};

const shapeOf: Evaluator = (op) => {
  const shape = op.shape(0);
  return [shape && [...shapeSlice(op, shape)]];
};

const size: Evaluator = (op) => {
  const shape = op.shape(0);
  return [shape && [productOf(shape, 0, shape.length, op.algebra)]];
};

const gather: Evaluator = (op, [shape]) => {
  const [data, indices] = [read(op, 0), read(op, 1)];
  if (!shape || !data || !indices) return [];
  const rank = data.shape.length;
  const axis = (op.int('axis', 0) + rank) % rank;
  const [readData, readIndex] = [
    broadcastReader(data.values, data.shape),
    broadcastReader(indices.values, indices.shape),
  ];
  const count = data.shape[axis] as number;
  return [
    tabulate(shape, (position) => {
      const index = readIndex(position.slice(axis, axis + indices.shape.length));
      if (typeof index !== 'number') return null;
      const wrapped = index < 0 ? index + count : index;
      if (wrapped < 0 || wrapped >= count) return null;
      const rest = position.slice(axis + indices.shape.length);
      return readData([...position.slice(0, axis), wrapped, ...rest]);
    }),
  ];
};

const slice: Evaluator = (op, [shape]) => {
  const data = read(op, 0);
  const bounds =
    op.version < 10
      ? [op.ints('starts'), op.ints('ends'), op.ints('axes')]
      : [1, 2, 3].map((index) => op.numbers(index));
  const [starts, ends] = bounds;
  if (!shape || !data || !starts || !ends || (op.hasInput(3) && !bounds[2])) return [];
  const axes = bounds[2] ?? starts.map((_, axis) => axis);
  const steps = op.numbers(4) ?? starts.map(() => 1);
  const begin = data.shape.map(() => 0);
  const stride = data.shape.map(() => 1);
  axes.forEach((given, index) => {
    const axis = given < 0 ? given + data.shape.length : given;
    const step = steps[index] as number;
    begin[axis] = sliceBounds(data.shape[axis] as number, starts[index] as number, ends[index] as number, step)[0];
    stride[axis] = step;
  });
  const reader = broadcastReader(data.values, data.shape);
  return [
    tabulate(shape, (position) =>
      reader(position.map((at, axis) => (begin[axis] as number) + at * (stride[axis] as number))),
    ),
  ];
};

const concat: Evaluator = (op, [shape]) => {
  const parts = op.node.inputs.map((_, index) => read(op, index));
  if (!shape || !parts.every((part) => part !== undefined)) return [];
  const rank = shape.length;
  const axis = (op.int('axis', 0) + rank) % rank;
  const readers = parts.map(({ values, shape: own }) => ({
    reader: broadcastReader(values, own),
    length: own[axis] as number,
  }));
  return [
    tabulate(shape, (position) => {
      let offset = position[axis] as number;
      for (const { reader, length } of readers) {
        if (offset < length) return reader(position.map((at, other) => (other === axis ? offset : at)));
        offset -= length;
      }
      return null;
    }),
  ];
};

const split: Evaluator = (op, shapes) => {
  const data = read(op, 0);
  if (!data) return [];
  const rank = data.shape.length;
  const axis = (op.int('axis', 0) + rank) % rank;
  const reader = broadcastReader(data.values, data.shape);
  let start = 0;
  return shapes.map((shape) => {
    if (!shape) return undefined;
    const from = start;
    start += shape[axis] as number;
    return tabulate(shape, (position) => reader(position.map((at, other) => (other === axis ? at + from : at))));
  });
};

const transpose: Evaluator = (op, [shape]) => {
  const data = read(op, 0);
  if (!shape || !data) return [];
  const order = op.ints('perm') ?? data.shape.map((_, axis) => data.shape.length - 1 - axis);
  const reader = broadcastReader(data.values, data.shape);
  return [tabulate(shape, (position) => reader(data.shape.map((_, axis) => position[order.indexOf(axis)] as number)))];
};

const expand: Evaluator = (op, [shape]) => {
  const data = read(op, 0);
  return [shape && data && tabulate(shape, broadcastReader(data.values, data.shape))];
};

const range: Evaluator = (op, [shape]) => {
  const [start, delta] = [op.numbers(0)?.[0], op.numbers(2)?.[0]];
  if (!shape || start === undefined || delta === undefined) return [];
  return [tabulate(shape, ([index = 0]) => start + index * delta)];
};

const constantOfShape: Evaluator = (op, [shape]) => {
  const value = op.surroundings.fillOf(op.node);
  return [shape && value !== undefined ? tabulate(shape, () => value) : undefined];
};

/** A reduction of all elements, or along the only axis. */
const reduceAll =
  (compute: ScalarFunction, empty: number): Evaluator =>
  (op, [shape]) => {
    const data = read(op, 0);
    if (!shape || smallCount(shape) !== 1 || !data || data.shape.length > 1) return [];
    const [first = empty, ...rest] = data.values;
    return [[rest.reduce<Dim>((a, b) => compute([a, b], op.algebra, isInteger(op.type(0))), first)]];
  };

export const evaluators: Readonly<Record<string, Evaluator>> = {
  ...Object.fromEntries(Object.entries(scalarFunctions).map(([name, compute]) => [name, elementwise(compute)])),
  Cast: cast,
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: copy,
  Gather: gather,
  Identity: copy,
  Range: range,
  ReduceMax: reduceAll(scalarFunctions.Max as ScalarFunction, Number.NaN),
  ReduceMin: reduceAll(scalarFunctions.Min as ScalarFunction, Number.NaN),
  ReduceProd: reduceAll(scalarFunctions.Mul as ScalarFunction, 1),
  ReduceSum: reduceAll(scalarFunctions.Add as ScalarFunction, 0),
  Reshape: copy,
  Shape: shapeOf,
  Size: size,
  Slice: slice,
  Split: split,
  Squeeze: copy,
  Transpose: transpose,
  Unsqueeze: copy,
};
