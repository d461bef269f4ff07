import { internalError } from '../foundation/index.ts';
import { type Attribute, addNode, type Graph, intAttribute, type Node, type Value } from '../ir/index.ts';
import type { Operand } from './integer-values.ts';
import type { Placement } from './placement/index.ts';
import { isOperand, type StaticInput } from './static-operands.ts';
import type { StoredIntegers } from './weight-store.ts';

type Parameters = Pick<StoredIntegers, 'scale' | 'zeroPoint'>;

/** One operator with its operands, and how its result is stored; without `output` it gives floats. */
export interface OperatorWork {
  readonly node: Node;
  readonly placement: Placement;
  readonly inputs: readonly StaticInput[];
  readonly output: Parameters | undefined;
  /** Of the standard domain. */
  readonly opset: number;
}

const contrib = 'com.microsoft';

/**
 * The operator for integers itself, before the float one: QLinearConv, QLinearMatMul, QGemm, QLinearAdd, …. Movers are
 * put on integers as they are.
 * @returns its outputs: integers, or floats where no output parameters are given
 * @source onnxruntime docs/ContribOperators.md; research: algorithms.md sections 2.1 and 2.2
 */
export function emitQOperator(work: OperatorWork): readonly (Value | undefined)[] {
  const { node, placement, inputs } = work;
  if (placement.order === 'mover') return emitMover(work);
  if (placement.order === 'weighted') return emitWeighted(work);
  const output = work.output ?? missing(node);
  return emit(node, operatorOf(placement), orders[placement.order](inputs, output), attributesOf(work));
}

/** Where an integer operator has its operands. */
const orders = {
  unary: ([x], { scale, zeroPoint }) => [...triple(x), scale, zeroPoint],
  binary: ([a, b], { scale, zeroPoint }) => [...triple(a), ...triple(b), scale, zeroPoint],
  concat: (inputs, { scale, zeroPoint }) => [scale, zeroPoint, ...inputs.flatMap(triple)],
  where: ([condition, x, y], { scale, zeroPoint }) => [plain(condition), ...triple(x), ...triple(y), scale, zeroPoint],
} as const satisfies Record<string, (inputs: readonly StaticInput[], output: Parameters) => (Value | undefined)[]>;

function emitWeighted({ node, inputs, output, opset }: OperatorWork): readonly (Value | undefined)[] {
  const [x, w, bias] = inputs;
  const b = isOperand(bias) ? bias.quantized : undefined;
  const operands = [...triple(x), ...triple(w)];
  if (node.op === 'Conv') {
    const { scale, zeroPoint } = output ?? missing(node);
    const domain = opset < 10 ? contrib : '';
    return emit(node, { op: 'QLinearConv', domain }, [...operands, scale, zeroPoint, b], node.attributes);
  }
  if (node.op === 'Gemm')
    return emit(node, { op: 'QGemm', domain: contrib }, [...operands, b, output?.scale, output?.zeroPoint], {});
  return output
    ? emit(node, { op: 'QLinearMatMul' }, [...operands, output.scale, output.zeroPoint], {})
    : emitFloatProduct({ node, inputs, position: node, bias: undefined });
}

/** A product of integers that gives floats, its bias added: before `position`. */
export function emitFloatProduct(product: {
  readonly node: Node;
  readonly inputs: readonly StaticInput[];
  readonly position: Node;
  readonly bias: Value | undefined;
}): readonly (Value | undefined)[] {
  const [a, b] = product.inputs.map(operand);
  if (!a || !b)
    throw internalError(`${product.node.op} "${product.node.name ?? ''}" has an operand that is no integer.`);
  const inputs = [a.quantized, b.quantized, a.scale, b.scale, a.zeroPoint, b.zeroPoint, product.bias];
  return emit(product.node, { op: 'MatMulIntegerToFloat', domain: contrib }, inputs, {}, product.position);
}

/** Padding puts zero around: its integer. */
function emitMover({ node, inputs }: OperatorWork): readonly (Value | undefined)[] {
  const [data, ...others] = inputs;
  const { quantized, zeroPoint } = operand(data);
  const rest = others.map(plain);
  const isPadding = node.op === 'Pad' && node.string('mode', 'constant') === 'constant';
  const padded = isPadding ? [rest[0], zeroPoint, ...rest.slice(2)] : rest;
  return emit(node, node, [quantized, ...padded], node.attributes);
}

const operatorOf = ({ integer, op }: Placement): { op: string; domain?: string } =>
  integer ?? missing({ op, name: undefined });

function attributesOf({ node, opset }: OperatorWork): ReadonlyMap<string, Attribute> {
  const attributes = new Map(node.attributes);
  if (node.op !== 'Softmax') return attributes;
  // What the axis means changed with opset 13, and the integer operator asks which of the two is meant.
  attributes.set('axis', intAttribute(node.int('axis', opset < 13 ? 1 : -1)));
  return attributes.set('opset', intAttribute(opset));
}

function emit(
  node: Node,
  { op, domain = '' }: { readonly op: string; readonly domain?: string },
  inputs: readonly (Value | undefined)[],
  attributes: ReadonlyMap<string, Attribute> | Readonly<Record<string, Attribute>>,
  position = node,
): readonly (Value | undefined)[] {
  const last = inputs.findLastIndex((value) => value !== undefined);
  const name = node.name && `${node.name}_quant`;
  const outputTypes = node.outputs.map(() => undefined);
  const fields = { domain, name, inputs: inputs.slice(0, last + 1), attributes, outputTypes };
  return addNode(position.graph as Graph, op, fields, position).outputs;
}

function operand(input: StaticInput): Operand {
  if (!isOperand(input)) throw internalError('An operand that should be integers is not.');
  return input;
}

function triple(input: StaticInput): Value[] {
  const { quantized, scale, zeroPoint } = operand(input);
  return [quantized, scale, zeroPoint];
}

const plain = (input: StaticInput): Value | undefined => (isOperand(input) ? undefined : input);

function missing({ op, name }: Pick<Node, 'op' | 'name'>): never {
  throw internalError(`${op} "${name ?? ''}" has no integer operator, or no parameters for its result.`);
}
