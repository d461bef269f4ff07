import {
  type Dim,
  type ElementType,
  elementTypeOfCode,
  type Shape,
  type Tensor,
  tensorType,
} from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { forEach, type OutputTypes, type Rule, type RuleTable, shaped, since, tensorLike } from '../rule.ts';

/** @source onnx/defs/generator/utils.cc, ConstantOpInference */
function constant(op: OperatorContext): OutputTypes {
  const value = op.attribute('value');
  if (value?.type === 'tensor') return [tensorType(value.value.elementType, value.value.dims)];
  if (op.has('sparse_value')) return [tensorType()];
  const kinds: readonly [string, ElementType][] = [
    ['value_int', 'int64'],
    ['value_float', 'float32'],
    ['value_string', 'string'],
  ];
  for (const [name, element] of kinds) {
    if (op.has(name)) return [tensorType(element, [])];
    const list = op.attribute(`${name}s`);
    if (list && 'value' in list && Array.isArray(list.value)) return [tensorType(element, [list.value.length])];
  }
  return op.fail('no attribute holds the value');
}

function attributeTensor(op: OperatorContext, name: string): Tensor | undefined {
  const attribute = op.attribute(name);
  return attribute?.type === 'tensor' ? attribute.value : undefined;
}

function constantOfShape(op: OperatorContext): OutputTypes {
  const element = attributeTensor(op, 'value')?.elementType ?? 'float32';
  const shape = op.shapeInput(0);
  if (shape?.some((dim) => typeof dim === 'number' && dim < 0)) op.fail('a dimension is negative');
  return [tensorType(element, shape)];
}

/** @source onnx/defs/generator/utils.h, compute_output_dim_for_range */
function range(op: OperatorContext): OutputTypes {
  const read = (index: number): Dim => {
    const values = op.values(index);
    return values?.length === 1 ? (values[0] as Dim) : null;
  };
  return shaped(op, [rangeLength(op, read(0), read(1), read(2))]);
}

function rangeLength(op: OperatorContext, start: Dim, limit: Dim, delta: Dim): Dim {
  if (typeof delta !== 'number') return null;
  if (typeof start === 'number' && typeof limit === 'number') return Math.max(0, Math.ceil((limit - start) / delta));
  return delta === 1 ? op.algebra.subtract(limit, start) : null;
}

/** @source onnx/defs/tensor/defs.cc, Shape */
function shapeOf(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  return [tensorType('int64', [shape ? shapeSlice(op, shape).length : null])];
}

/** The dimensions that Shape gives: all, or since opset 15 those in [start, end). */
export function shapeSlice(op: OperatorContext, shape: Shape): Shape {
  const bound = (value: number): number =>
    Math.min(Math.max(value < 0 ? value + shape.length : value, 0), shape.length);
  return shape.slice(bound(op.int('start', 0)), bound(op.int('end', shape.length)));
}

/** A tensor of the shape in an attribute. */
function randomOfShape(op: OperatorContext): OutputTypes {
  const shape = op.ints('shape') ?? op.fail('attribute shape is missing');
  if (shape.some((dim) => dim < 0)) op.fail('a dimension is negative');
  return [tensorType(op.elementAttribute('dtype') ?? 'float32', shape)];
}

/** The shape of the input, and its element type unless `dtype` says another. */
const likeInput: Rule = (op) => {
  const element = op.elementAttribute('dtype');
  return [element ? tensorType(element, op.shape(0)) : tensorLike(op, 0, op.shape(0))];
};

function eyeLike(op: OperatorContext): OutputTypes {
  if ((op.shape(0)?.length ?? 2) !== 2) op.fail('the input must have rank 2');
  return likeInput(op);
}

function multinomial(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if ((shape?.length ?? 2) !== 2) op.fail('the input must have rank 2');
  return [tensorType(op.elementAttribute('dtype') ?? 'int32', [shape?.[0] ?? null, op.int('sample_size', 1)])];
}

/** Window functions of a length. @source onnx/defs/math/defs.cc, CosineSumWindowOpDocGenerator */
function windowFunction(op: OperatorContext): OutputTypes {
  const size = op.values(0)?.[0];
  return [tensorType(outputElement(op), size === undefined ? undefined : [size])];
}

const outputElement = (op: OperatorContext): ElementType =>
  elementTypeOfCode(op.int('output_datatype', 1)) ?? 'float32';

function melWeights(op: OperatorContext): OutputTypes {
  const [bins, length] = [op.numbers(0)?.[0], op.numbers(1)?.[0]];
  const isKnown = bins !== undefined && length !== undefined && bins > 0 && length > 0;
  return [tensorType(outputElement(op), isKnown ? [Math.floor(length / 2) + 1, bins] : undefined)];
}

export const generatorRules: RuleTable = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shapeOf,
  Size: () => [tensorType('int64', [])],
  ...forEach(['RandomNormal', 'RandomUniform'], randomOfShape),
  ...forEach(['Bernoulli', 'RandomNormalLike', 'RandomUniformLike'], likeInput),
  EyeLike: eyeLike,
  Multinomial: since({ 7: multinomial }),
  ...forEach(['BlackmanWindow', 'HammingWindow', 'HannWindow'], windowFunction),
  MelWeightMatrix: melWeights,
};
