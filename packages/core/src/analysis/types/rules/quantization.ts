import { type ElementType, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, type RuleTable, since, tensorLike } from '../rule.ts';

/** @source onnx/defs/quantization/defs.cc, QuantizeLinear */
export function quantize(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  const named = outputElement(op);
  if (op.hasInput(2)) {
    if (!op.type(2)) return [tensorType(named, shape)];
    const zeroPoint = op.element(2);
    if (named && zeroPoint && named !== zeroPoint)
      op.fail(`output_dtype ${named} is not the zero point's ${zeroPoint}`);
    return [tensorType(zeroPoint ?? named, shape)];
  }
  return [tensorType(named ?? 'uint8', shape)];
}

/** Code 0 says that nothing is said. */
const outputElement = (op: OperatorContext): ElementType | undefined =>
  op.int('output_dtype', 0) === 0 ? undefined : op.elementAttribute('output_dtype');

/** The result has the type of the scale since opset 19; before, all was float. */
function dequantize(op: OperatorContext): OutputTypes {
  const named = outputElement(op);
  return [named ? tensorType(named, op.shape(0)) : tensorLike(op, 1, op.shape(0))];
}

export const quantizationRules: RuleTable = {
  QuantizeLinear: quantize,
  DequantizeLinear: since({ 10: (op) => [tensorType('float32', op.shape(0))], 19: dequantize }),
  DynamicQuantizeLinear: (op) => [tensorType('uint8', op.shape(0)), tensorType('float32', []), tensorType('uint8', [])],
};
