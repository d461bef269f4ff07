import { type ConstantRef, constantOf } from '../analysis/index.ts';
import type { Recipe } from '../backend/index.ts';
import type { Node, Tensor } from '../ir/index.ts';
import type { Decision, Reason } from '../plan/index.ts';

export const float = (code: Reason['code'], text: string): Decision => ({ action: 'float', reason: { code, text } });

/** What keeps a node in float whatever the target: `undefined` when nothing does. */
export function unfit(node: Node, weight: ConstantRef | undefined, recipe: Recipe): Decision | undefined {
  if (!recipe.operators.includes(node.op)) {
    return float(
      'recipe',
      `recipe ${recipe.id} treats ${recipe.operators.join(', ')}; int8 ${node.op} is no faster here or needs calibration`,
    );
  }
  if (!weight) return noWeight(node, recipe);
  if (weight.elementType !== 'float32')
    return float('element-type', `${weight.elementType} activations have no integer kernel`);
  if (!isFloat(weight.tensor)) return float('element-type', `weights of ${weight.tensor.elementType}`);
  if (weight.dims.some((dim) => dim < 1)) return float('shape', 'empty weights');
  if (node.op === 'Conv' || node.op === 'ConvTranspose')
    return weight.transposed ? float('shape', 'transposed filters') : undefined;
  if (node.op === 'Gather') return unfitTable(node, weight, recipe);
  if (weight.dims.length !== 2)
    return float('shape', `weights of rank ${weight.dims.length}: integer kernels take matrices`);
  return node.op === 'Gemm' ? unfitGemm(node, recipe) : undefined;
}

/** Why there is no weight to store in 8 bits. */
function noWeight({ inputs }: Node, recipe: Recipe): Decision {
  const [first, second] = inputs;
  if (recipe.weightsFrom === 'initializers' && second && constantOf(second))
    return float('recipe', `recipe ${recipe.id} takes direct initializers of the main graph only; this weight hides`);
  if (first && constantOf(first))
    return float('not-constant', 'the weight is the first operand; integer kernels take it as the second');
  return float('not-constant', 'both operands are computed: there is no weight to store in 8 bits');
}

const isFloat = (tensor: Tensor): boolean => ['float32', 'float16', 'bfloat16', 'float64'].includes(tensor.elementType);

function unfitGemm(node: Node, recipe: Recipe): Decision | undefined {
  if (node.int('transA', 0) !== 0) return float('attributes', 'transA: the activation is transposed');
  const isPlain = node.float('alpha', 1) === 1 && node.float('beta', 1) === 1;
  if (recipe.weights !== 'by-capability' && !isPlain)
    return float('attributes', 'alpha or beta is not 1, which the reference tool leaves');
  if (node.float('alpha', 1) === 0) return float('attributes', 'alpha is 0');
  return undefined;
}

function unfitTable(node: Node, weight: ConstantRef, recipe: Recipe): Decision | undefined {
  // One scale for all can be multiplied in behind any lookup.
  if (recipe.embeddings !== 'uint8-tensor' && node.int('axis', 0) !== 0)
    return float('attributes', 'a lookup along another axis than the first');
  return weight.transposed ? float('shape', 'a transposed table') : undefined;
}
