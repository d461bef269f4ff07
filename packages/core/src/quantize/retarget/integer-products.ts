import { type ConstantRef, constantOf, inferTypes } from '../../analysis/index.ts';
import { type ElementType, type Model, type Node, type Value, walkNodes } from '../../ir/index.ts';
import { type IntegerSlot, integerOperator } from './integer-operators.ts';

export interface WeightPlace {
  /** The node that reads the integers: the product itself, or DequantizeLinear before it. */
  readonly reader: Node;
  readonly data: number;
  readonly scale: number | undefined;
  readonly zeroPoint: number;
}

/** A product of 8-bit activations and 8-bit weights, or of two activations, in any of the forms that ONNX has for it. */
export interface IntegerProduct {
  readonly node: Node;
  /** The float operator that it stands for. */
  readonly op: 'MatMul' | 'Gemm' | 'Conv';
  readonly mode: 'dynamic' | 'static';
  /** `qdq`: a float operator behind DequantizeLinear. */
  readonly form: 'operator' | 'qdq';
  /** Type of the activations as integers; `undefined` where the graph does not say it. */
  readonly activation: ElementType | undefined;
  /** The integers of the activations: what is multiplied, or dequantized before it. */
  readonly activationValue: Value | undefined;
  readonly weight: WeightPlace;
  /** The second operand's stored integers; absent for a product of two activations. */
  readonly stored: ConstantRef | undefined;
  readonly weightType: ElementType | undefined;
  /** One filter for each channel: a kernel of its own. */
  readonly isDepthwise: boolean;
}

type Kind = Pick<IntegerProduct, 'op' | 'mode'>;

const operatorKinds: Readonly<Record<string, Kind>> = {
  MatMulInteger: { op: 'MatMul', mode: 'dynamic' },
  MatMulIntegerToFloat: { op: 'MatMul', mode: 'dynamic' },
  DynamicQuantizeMatMul: { op: 'MatMul', mode: 'dynamic' },
  QAttention: { op: 'MatMul', mode: 'dynamic' },
  ConvInteger: { op: 'Conv', mode: 'dynamic' },
  QLinearMatMul: { op: 'MatMul', mode: 'static' },
  QGemm: { op: 'Gemm', mode: 'static' },
  QLinearConv: { op: 'Conv', mode: 'static' },
};

/** Every integer product of a model, subgraphs included, in order. */
export function integerProducts(model: Model): IntegerProduct[] {
  const types = inferTypes(model);
  const typeOf = (value: Value): ElementType | undefined => {
    const type = types.typeOf(value);
    return value.elementType ?? (type?.kind === 'tensor' ? type.elementType : undefined);
  };
  return [...walkNodes(model)].flatMap((node) => {
    const product = asOperator(node, typeOf) ?? betweenIntegers(node, typeOf);
    return product ? [product] : [];
  });
}

type TypeOf = (value: Value) => ElementType | undefined;

function asOperator(node: Node, typeOf: TypeOf): IntegerProduct | undefined {
  const kind = Object.hasOwn(operatorKinds, node.op) ? operatorKinds[node.op] : undefined;
  const operator = kind && integerOperator(node);
  const weight = operator?.operands.find(({ role }) => role === 'weight');
  if (!kind || !operator || !weight) return undefined;
  const activation = operator.operands.find(({ role }) => role === 'activation');
  const activationValue = activation && node.inputs[activation.data];
  const place = { reader: node, data: weight.data, scale: weight.scale, zeroPoint: weight.zeroPoint };
  // DynamicQuantizeMatMul makes its own activations, in unsigned 8 bits.
  const activationType = activation ? operandType(node, activation, typeOf) : 'uint8';
  return productOf(node, { ...kind, form: 'operator', activation: activationType, activationValue }, place, typeOf);
}

/** Zero point and operand have one type; operators of the runtime's own domain have no inferred types. */
function operandType(node: Node, { data, zeroPoint }: IntegerSlot, typeOf: TypeOf): ElementType | undefined {
  const [value, zero] = [node.inputs[data], node.inputs[zeroPoint]];
  return (zero && typeOf(zero)) ?? (value && typeOf(value));
}

/** MatMul, Gemm or Conv on two operands that are dequantized from 8 bits. */
function betweenIntegers(node: Node, typeOf: TypeOf): IntegerProduct | undefined {
  const { op, domain } = node;
  if (domain !== '' || (op !== 'MatMul' && op !== 'Gemm' && op !== 'Conv')) return undefined;
  const [left, right] = node.inputs.slice(0, 2).map((value) => value?.producer);
  if (!left?.is('DequantizeLinear') || !right?.is('DequantizeLinear')) return undefined;
  const activationValue = left.inputs[0];
  const activation = activationValue && typeOf(activationValue);
  if (activation !== 'uint8' && activation !== 'int8') return undefined;
  const place = { reader: right, data: 0, scale: 1, zeroPoint: 2 };
  return productOf(node, { op, mode: 'static', form: 'qdq', activation, activationValue }, place, typeOf);
}

function productOf(
  node: Node,
  known: Pick<IntegerProduct, 'op' | 'mode' | 'form' | 'activation' | 'activationValue'>,
  weight: WeightPlace,
  typeOf: TypeOf,
): IntegerProduct {
  const value = weight.reader.inputs[weight.data];
  const stored = value && constantOf(value);
  const weightType = stored?.elementType ?? (value && typeOf(value));
  const [filters, channels] = stored?.dims ?? [];
  const isDepthwise = known.op === 'Conv' && channels === 1 && filters === node.int('group', 1) && filters > 1;
  return { node, ...known, weight, stored, weightType, isDepthwise };
}
