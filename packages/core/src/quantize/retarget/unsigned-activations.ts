import { constantOf, storedTensor } from '../../analysis/index.ts';
import { type Model, type Node, type Value, walkNodes } from '../../ir/index.ts';
import { type IntegerProduct, integerProducts } from './integer-products.ts';
import { recentre, type ShiftedZeroPoints } from './recentre.ts';
import { findRecentreGroup, type Objection } from './recentre-group.ts';
import type { IdenticalUpTo, RetargetScope, Rewrite } from './rewrite.ts';
import { byteNumbersOf } from './small-integers.ts';
import { gainOf, kernelFor } from './target-kernels.ts';

/**
 * Signed activations become unsigned ones, which the fast kernels want: 128 is added to their zero points, and to the
 * integers that are stored among them. Every activation of the model goes along, because operators between integers want
 * one type.
 * @source research: runtime.md section 0, fact 2; avx2.md section 6
 */
export const makeActivationsUnsigned: Rewrite = (scope) => {
  const products = integerProducts(scope.model);
  const wanted = products.filter((product) => isWanted(product, scope));
  if (wanted.length === 0) return;
  const object = keepWeights(products);
  const zeroPoints: ShiftedZeroPoints = new Map();
  const blocked = new Map<Value, string>();
  const done = new Set<Value>();
  for (const seed of [
    ...wanted.map(({ activationValue }) => activationValue as Value),
    ...otherSeeds(scope, products),
  ]) {
    if (done.has(seed) || blocked.has(seed)) continue;
    const found = findRecentreGroup(seed, object);
    if (found.status === 'blocked') {
      blocked.set(seed, found.reason);
      continue;
    }
    for (const value of found.values) done.add(value);
    recentre(found, 'uint8', zeroPoints);
  }
  for (const product of wanted) {
    const reason = blocked.get(product.activationValue as Value);
    if (reason) scope.leave(product.node, `its signed activations cannot become unsigned: ${reason}`);
    else tell(product, scope);
  }
};

function isWanted(product: IntegerProduct, { target, leave }: RetargetScope): boolean {
  const { node, activation, activationValue, weightType } = product;
  if (activation !== 'int8' || !activationValue || node.is('ConvInteger')) return false;
  const unsigned = unsignedKernel(product, target);
  const gain = gainOf(kernelFor(target, product, 'int8', weightType ?? 'int8'), unsigned);
  const why = !unsigned
    ? 'no integer kernel with unsigned activations is claimed for the target'
    : gain !== undefined && gain <= 1
      ? 'signed activations are as fast on the target'
      : undefined;
  if (why) leave(node, why);
  return why === undefined;
}

/** A second operand that is an activation becomes unsigned, too. */
const unsignedKernel = (product: IntegerProduct, target: RetargetScope['target']) =>
  kernelFor(target, product, 'uint8', product.stored ? (product.weightType ?? 'int8') : 'uint8');

/** Weights stay signed. */
function keepWeights(products: readonly IntegerProduct[]): Objection {
  const weights = products.filter(({ stored }) => stored);
  return (node, index) => {
    const isWeight = weights.some(({ weight: { reader, data } }) => reader === node && data === index);
    return isWeight ? `they are weights of ${node.op} as well` : undefined;
  };
}

/** Signed integers that are no activation of a product, but meet those: at an addition, say. */
function otherSeeds({ model }: RetargetScope, products: readonly IntegerProduct[]): Value[] {
  const weightReaders = new Set(products.flatMap(({ stored, weight }) => (stored ? [weight.reader] : [])));
  return [...walkNodes(model)].flatMap((node) => {
    if (node.is('QuantizeLinear')) return isSignedQuantize(node) ? [node.outputs[0] as Value] : [];
    const constant = node.is('DequantizeLinear') && !weightReaders.has(node) ? signedConstant(node) : undefined;
    return constant && meetsActivation(node) ? [constant] : [];
  });
}

const isSignedQuantize = (node: Node): boolean => {
  const zeroPoint = node.inputs[2];
  return zeroPoint ? storedTensor(zeroPoint)?.elementType === 'int8' : node.int('output_dtype', 0) === 3;
};

function signedConstant({ inputs: [data, , zeroPoint] }: Node): Value | undefined {
  const stored = data && constantOf(data);
  const isSigned = stored?.elementType === 'int8' && (!zeroPoint || byteNumbersOf(zeroPoint) !== undefined);
  return isSigned ? stored.root : undefined;
}

/** True where an operator reads the constant together with dequantized activations. */
const meetsActivation = (dequantize: Node): boolean =>
  (dequantize.outputs[0]?.consumers ?? []).some(({ inputs }) =>
    inputs.some((input) => {
      const other = input?.producer;
      return other !== dequantize && other?.is('DequantizeLinear') && other.inputs[0] && !constantOf(other.inputs[0]);
    }),
  );

/**
 * Behind DequantizeLinear everything is computed in float up to level basic, and the same; above, the runtime finds integer
 * operators where it found none. An integer addition folds zero points into a float, and rounds one in a million otherwise.
 */
function identicalUpTo({ form }: IntegerProduct, model: Model): IdenticalUpTo {
  if (form === 'qdq') return 'basic';
  return [...walkNodes(model)].some(({ op }) => op === 'QLinearAdd') ? 'none' : 'all';
}

function tell(product: IntegerProduct, { model, target, act }: RetargetScope): void {
  const unsigned = unsignedKernel(product, target);
  act(product.node, {
    rewrite: 'unsigned-activations',
    text: 'signed activations became unsigned, on the same grid: the fast kernels want them so',
    identicalUpTo: identicalUpTo(product, model),
    predictedGain: gainOf(kernelFor(target, product, 'int8', product.weightType ?? 'int8'), unsigned),
    source: unsigned?.source,
  });
}
