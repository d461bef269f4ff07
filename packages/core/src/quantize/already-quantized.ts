import { storedTensor } from '../analysis/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { type Model, type Node, walkNodes } from '../ir/index.ts';

/** Operators that only a quantized model has. */
const integerOperators = new Set([
  'MatMulInteger',
  'ConvInteger',
  'QLinearMatMul',
  'QLinearConv',
  'QGemm',
  'QLinearAdd',
  'QLinearMul',
  'QLinearSigmoid',
  'QLinearLeakyRelu',
  'QLinearSoftmax',
  'QLinearConcat',
  'QLinearWhere',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
  'QAttention',
  'MatMulNBits',
  'MatMulBnb4',
  'DynamicQuantizeMatMul',
  'MatMulIntegerToFloat',
  'DynamicQuantizeLSTM',
  'GatherBlockQuantized',
  'QEmbedLayerNormalization',
  'DynamicQuantizeLinear',
  'MatMulFpQ4',
]);

/** Counts of quantized operators by type; a DequantizeLinear on stored data is one. */
export function quantizedOperators(model: Model): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of walkNodes(model)) {
    if (integerOperators.has(node.op) || isStoredWeight(node)) counts.set(node.op, (counts.get(node.op) ?? 0) + 1);
  }
  return counts;
}

const isStoredWeight = (node: Node): boolean =>
  node.op === 'DequantizeLinear' && node.inputs[0] !== undefined && storedTensor(node.inputs[0]) !== undefined;

/** @throws E_ALREADY_QUANTIZED */
export function requireNotQuantized(model: Model): void {
  const counts = quantizedOperators(model);
  if (counts.size === 0) return;
  const list = [...counts].map(([op, count]) => `${count} ${op}`).join(', ');
  throw new OptimumError(
    'E_ALREADY_QUANTIZED',
    `This model is quantized already (${list}); quantizing it again would only lose accuracy.`,
    {
      hint: 'Start from the float32 model; to make this one fit another CPU: optimum retarget MODEL --target NAME.',
      context: { operators: Object.fromEntries(counts) },
    },
  );
}
