import { float32Tensor, type Node, type Value } from '../../ir/index.ts';
import { constantFloats } from '../../passes/constant-floats.ts';
import { dropUnread } from '../../passes/drop-unread.ts';
import { derivedName, scaleWeight } from '../../passes/scaled-weight.ts';
import { type Product, productOf } from './product.ts';

/** One factor for each channel. */
export type Factors = ArrayLike<number>;

/** A constant along the channels, or the outputs of a product: what can take up factors. */
export type ScalingPlace =
  | { readonly kind: 'constant'; readonly node: Node; readonly input: number }
  | { readonly kind: 'outputs'; readonly node: Node };

/** Multiplies what comes out of a place by factors along its channels. */
export function scalePlace(place: ScalingPlace, factors: Factors): void {
  if (place.kind === 'constant') scaleConstant(place.node, place.input, factors);
  else scaleProduct(place.node, ({ isTransposed }, first, second) => factors[isTransposed ? first : second]);
}

/** Multiplies the weight of a product by factors along what it sums over. */
export const scaleInputs = (node: Node, factors: Factors): void =>
  scaleProduct(node, ({ isTransposed }, first, second) => factors[isTransposed ? second : first]);

type FactorOf = (product: Product, first: number, second: number) => number | undefined;

/** Large weights are not held: they are multiplied when they are read. */
function scaleProduct(node: Node, factorOf: FactorOf): void {
  const product = productOf(node);
  if (!product) return;
  const before = node.inputs[1];
  scaleWeight(node, product.weight, (first, second) => factorOf(product, first, second) ?? 1);
  dropUnread([before]);
}

/** Gives the node a constant of its own, so that others who share it see no change. One number becomes one for each. */
function scaleConstant(node: Node, input: number, factors: Factors): void {
  const before = node.inputs[input];
  const constant = constantFloats(before);
  if (!constant) return;
  const isSingle = constant.values.length === 1;
  const count = Math.max(constant.values.length, factors.length);
  const dims = isSingle ? [factors.length] : constant.dims;
  const values = Float32Array.from(
    { length: count },
    (_, index) => (constant.values[isSingle ? 0 : index] as number) * (factors[index % factors.length] as number),
  );
  node.setInput(input, node.graph?.addInitializer(float32Tensor(dims, values), derivedName(before?.name)));
  dropUnread([before]);
}

/** True when the operand is a constant with one number for each channel along the last axis, or, if allowed, just one. */
export function isAlongChannels(value: Value | undefined, channels: number, allowsSingle = false): boolean {
  const constant = constantFloats(value);
  if (!constant) return false;
  return constant.dims.at(-1) === channels || (allowsSingle && constant.values.length === 1);
}
