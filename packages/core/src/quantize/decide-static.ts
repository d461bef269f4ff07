import { type ConstantRef, constantOf } from '../analysis/index.ts';
import { type Capability, holdsOn, type Recipe } from '../backend/index.ts';
import type { Model, Node, Value, ValueType } from '../ir/index.ts';
import type { ActivationScheme } from '../observe/index.ts';
import type { Decision, WeightScheme } from '../plan/index.ts';
import { isAllowedWeight, type SchemeOptions, schemeOf } from './choose-scheme.ts';
import { type Placement, placementOf, roleOf } from './placement/index.ts';
import { float, unfit } from './unfit.ts';

export interface StaticOptions extends SchemeOptions {
  readonly model: Model;
  readonly typeOf: (value: Value) => ValueType | undefined;
}

export const defaultScheme: ActivationScheme = { elementType: 'uint8', symmetric: false };

export const schemeOfRecipe = ({ activations = defaultScheme }: Recipe): ActivationScheme => activations;

/** Up to here, operators of the runtime's own domain stand in for what an older opset lacks. */
const contribOpset = 13;

/**
 * Whether a node can become integer with ranges from calibration, or why not: from its structure and from what the
 * runtime claims. Whether it stands between integers is decided later, for all of them together.
 */
export function decideStatic(node: Node, weight: ConstantRef | undefined, options: StaticOptions): Decision {
  const placement = placementOf(node);
  if (!placement) return float('recipe', `${node.op} has no integer form with ranges from calibration`);
  return structuralReason(node, placement, weight, options) ?? chooseClaim(node, placement, weight, options);
}

function structuralReason(
  node: Node,
  placement: Placement,
  weight: ConstantRef | undefined,
  options: StaticOptions,
): Decision | undefined {
  const { recipe, model } = options;
  if (!isObservable(node, model))
    return float('subgraph', 'inside the body of a loop, where a tensor has many values that calibration does not see');
  const refusal = placement.refuse?.(node);
  if (refusal) return float('attributes', refusal);
  if (placement.order !== 'weighted') return unfitOperands(node, placement, options);
  if (!weight && node.op === 'MatMul' && recipe.reach === 'all') return unfitOperands(node, placement, options);
  return unfit(node, weight, recipe) ?? unfitWeighted(node);
}

/** Nodes of the main graph, and of branches of If, which calibration can hand out. */
function isObservable(node: Node, { graph: main }: Model): boolean {
  for (let graph = node.graph; graph !== main; graph = graph?.owner?.graph) if (!graph?.owner?.is('If')) return false;
  return true;
}

/** Bias and scales that cannot be stored as integers. */
function unfitWeighted(node: Node): Decision | undefined {
  if (node.inputs[0] && constantOf(node.inputs[0])) return float('not-constant', 'all of it is constant');
  if (node.op === 'Gemm') {
    return node.float('alpha', 1) > 0 ? undefined : float('attributes', 'alpha is not positive, and scales must be');
  }
  const bias = node.inputs[2];
  const stored = bias && constantOf(bias);
  if (!bias || stored?.tensor.elementType === 'float32') return undefined;
  return float('not-constant', stored ? `a bias of ${stored.tensor.elementType}` : 'its bias is computed');
}

/** Every operand that has to be integers must be known to be float32, and one of them computed. */
function unfitOperands(node: Node, placement: Placement, { typeOf, recipe }: StaticOptions): Decision | undefined {
  if (!recipe.operators.includes(node.op)) return float('recipe', `recipe ${recipe.id} leaves ${node.op} in float`);
  const operands = node.inputs.filter(
    (value, index): value is Value => value !== undefined && roleOf(placement, index) !== 'plain',
  );
  for (const value of operands) {
    const type = typeOf(value);
    const elementType = type?.kind === 'tensor' ? type.elementType : undefined;
    if (elementType !== 'float32')
      return float('element-type', `its operands are ${elementType ?? 'of unknown type'}, not float32`);
    if (constantOf(value)?.transposed) return float('shape', 'a transposed constant');
  }
  return operands.some((value) => !constantOf(value)) ? undefined : float('not-constant', 'all of it is constant');
}

function chooseClaim(
  node: Node,
  placement: Placement,
  weight: ConstantRef | undefined,
  { recipe, features, capabilities, opset }: StaticOptions,
): Decision {
  const scheme = schemeOfRecipe(recipe);
  const isWeighted = placement.order === 'weighted' && weight !== undefined;
  const best = capabilities
    .filter((claim) => claim.mode === 'static' && claim.op === node.op && (claim.domain ?? '') === node.domain)
    .filter((claim) => (claim.activation ?? scheme.elementType) === scheme.elementType && holdsOn(claim, features))
    .filter((claim) => isFor(claim, node, weight))
    .filter((claim) => (isWeighted ? isAllowedWeight(claim, recipe) : isWithoutWeight(claim, placement, scheme)))
    .sort((a, b) => b.speed - a.speed)[0];
  if (!best) return float('no-capability', `the runtime claims no static ${scheme.elementType} ${node.op} here`);
  const leastOpset = Math.max(placement.opset ?? 1, best.opset > contribOpset ? best.opset : 1);
  if (opset < leastOpset) return float('opset', `${best.id} needs opset ${leastOpset}, the model has ${opset}`);
  if (recipe.onlyIfFaster && best.speed <= 1)
    return float('no-faster', `${best.id} runs at ${best.speed}× of float32 on this target`);
  return { action: 'static', ...(isWeighted && { weight: weightScheme(best, node, recipe) }), capability: best.id };
}

/** Output channels of a grouped ConvTranspose lie in several places of its filters: they get one scale. */
function weightScheme(claim: Capability, node: Node, recipe: Recipe): WeightScheme {
  const scheme = schemeOf(claim, recipe);
  const isScattered = node.is('ConvTranspose') && node.int('group', 1) > 1;
  return isScattered ? { ...scheme, granularity: 'tensor' } : scheme;
}

/** A product of two activations has no weight: its second operand is of the activations' type. */
const isWithoutWeight = ({ weight }: Capability, { order }: Placement, { elementType }: ActivationScheme): boolean =>
  order !== 'weighted' || weight === elementType;

/** Depthwise filters are those of one channel each. */
function isFor({ filters }: Capability, node: Node, weight: ConstantRef | undefined): boolean {
  if (!filters || !weight) return true;
  const isDepthwise = weight.dims[1] === 1 && node.int('group', 1) === weight.dims[0];
  return (filters === 'depthwise') === isDepthwise;
}
