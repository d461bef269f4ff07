import { type Dim, type Shape, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { checkRank, type OutputTypes, type RuleTable, shaped, since, tensorLike } from '../rule.ts';
import { broadcastShapes, unifyDims } from '../shapes.ts';
import { einsum } from './einsum.ts';

/** The product of two inputs. */
export const matrixProduct = (op: OperatorContext, left: number, right: number): Dim[] | undefined =>
  multiplyShapes(op, op.shape(left), op.shape(right));

/**
 * Numpy's matmul; vectors are taken as a row on the left and a column on the right.
 * @source onnx/defs/math/utils.cc, MatMulShapeInference
 */
export function multiplyShapes(op: OperatorContext, a: Shape | undefined, b: Shape | undefined): Dim[] | undefined {
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0) op.fail('a scalar cannot be multiplied as a matrix');
  const rows = a.length === 1 ? [1, ...a] : a;
  const columns = b.length === 1 ? [...b, 1] : b;
  unifyDims(rows.at(-1) as Dim, columns.at(-2) as Dim);
  const batch = broadcastShapes([rows.slice(0, -2), columns.slice(0, -2)], op.algebra);
  if (a.length > 1) batch.push(rows.at(-2) as Dim);
  if (b.length > 1) batch.push(columns.at(-1) as Dim);
  return batch;
}

/** @source onnx/defs/math/defs.cc, Gemm */
function gemm(op: OperatorContext): OutputTypes {
  const [a, b] = [op.shape(0), op.shape(1)];
  const isEarly = op.version < 13;
  if (op.emulates && isEarly && !(a && b)) return shaped(op, undefined);
  checkRank(op, 0, 2);
  checkRank(op, 1, 2);
  const [rows, inner] = pair(a, op.int('transA', 0) !== 0);
  const [otherInner, columns] = pair(b, op.int('transB', 0) !== 0);
  if (!isEarly) unifyDims(inner, otherInner);
  return shaped(op, [rows, columns]);
}

function pair(shape: Shape | undefined, isTransposed: boolean): [Dim, Dim] {
  const [first = null, second = null] = shape ?? [];
  return isTransposed ? [second, first] : [first, second];
}

function quantizedMatMul(op: OperatorContext): OutputTypes {
  for (const [data, zeroPoint] of [
    [0, 2],
    [3, 5],
  ] as const) {
    const [type, other] = [op.element(data), op.element(zeroPoint)];
    if (type && other && type !== other) op.fail(`inputs ${data} and ${zeroPoint} must have the same element type`);
  }
  return [tensorLike(op, 7, matrixProduct(op, 0, 3))];
}

/** @source onnx/defs/math/defs.cc, Det */
function determinant(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  if (shape.length < 2) op.fail('the input must have at least rank 2');
  unifyDims(shape.at(-1) as Dim, shape.at(-2) as Dim);
  return shaped(op, shape.slice(0, -2));
}

export const matrixRules: RuleTable = {
  MatMul: (op) => shaped(op, matrixProduct(op, 0, 1)),
  MatMulInteger(op) {
    if (op.emulates) for (const index of [0, 1]) op.requiredType(index);
    return [tensorType('int32', matrixProduct(op, 0, 1))];
  },
  QLinearMatMul: quantizedMatMul,
  Gemm: since({ 6: gemm }),
  Det: determinant,
  Einsum: einsum,
};
