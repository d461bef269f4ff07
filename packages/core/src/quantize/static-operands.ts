import { type ConstantRef, constantOf } from '../analysis/index.ts';
import { internalError, OptimumError } from '../foundation/index.ts';
import type { Node, Value } from '../ir/index.ts';
import type { WeightScheme } from '../plan/index.ts';
import type { IntegerValues, Operand } from './integer-values.ts';
import { type Placement, roleOf } from './placement/index.ts';
import { matrixUse } from './realize-matmul.ts';
import { floatsOf } from './small-constant.ts';
import type { WeightStore } from './weight-store.ts';
import type { BiasUse, WeightUse } from './weight-use.ts';

/** A node that becomes integer with ranges from calibration. */
export interface StaticWork {
  readonly node: Node;
  readonly placement: Placement;
  /** Absent where no operand is a weight. */
  readonly scheme: WeightScheme | undefined;
  /** The values that it gives as integers, as they stand in the plan. */
  readonly writes: readonly Value[];
}

/** The weight of a node, and the bias that becomes int32 with it. */
interface Weighted {
  readonly weight: ConstantRef;
  readonly use: Exclude<WeightUse, { kind: 'table' }>;
  readonly bias: BiasUse | undefined;
}

function weightedOf({ node, scheme }: StaticWork, values: IntegerValues): Weighted | undefined {
  if (!scheme) return undefined;
  const [activation, operand] = node.inputs;
  const weight = operand && constantOf(operand);
  if (!activation || !weight) throw internalError(`${node.op} "${node.name ?? ''}" has no constant weight.`);
  const isMatrix = node.op === 'MatMul' || node.op === 'Gemm';
  const use = isMatrix ? matrixUse(node, scheme) : filterUse(node, scheme);
  return { weight, use, bias: biasOf(node, weight, values.storedOf(activation).parameters.scale) };
}

const filterUse = (node: Node, scheme: WeightScheme): Extract<WeightUse, { kind: 'filters' }> => ({
  kind: 'filters',
  scheme,
  inputFirst: node.op === 'ConvTranspose',
  sameGrid: scheme.elementType === 'uint8',
});

/** A stored bias with a number for each output channel; of Gemm, times beta. */
function biasOf(node: Node, weight: ConstantRef, activationScale: number): BiasUse | undefined {
  const bias = node.op === 'MatMul' ? undefined : node.inputs[2];
  const stored = bias && constantOf(bias);
  if (!bias || stored?.tensor.elementType !== 'float32') return undefined;
  const { tensor, dims } = stored;
  if (node.op === 'Gemm') {
    const channels = weight.dims[node.int('transB', 0) === 1 ? 0 : 1];
    if (dims.length > 2 || dims.at(-1) !== channels || tensor.elementCount !== channels) return undefined;
  }
  const beta = node.op === 'Gemm' ? node.float('beta', 1) : 1;
  const values = floatsOf(tensor).map((value) => value * beta);
  requireFinite(values, bias);
  return { tensor, name: bias.name, values, activationScale };
}

function requireFinite(values: Float32Array, { name = '' }: Value): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  const hasNaN = Number.isNaN(values[index]);
  throw new OptimumError(
    hasNaN ? 'E_NUMERIC_NAN' : 'E_NUMERIC_INF',
    `Bias "${name}" [${values.length}] holds ${hasNaN ? 'NaN' : 'an infinity'} at [${index}]: it has no integer form.`,
    {
      hint: 'The model is damaged, or was trained past its range; --exclude the node leaves it as it is.',
      context: { bias: name, index },
    },
  );
}

/** Notes all biases before the first weight is stored: those of one weight are stored with it. */
export function announceBiases(work: readonly StaticWork[], values: IntegerValues, store: WeightStore): void {
  for (const one of work) {
    const weighted = weightedOf(one, values);
    if (weighted?.bias) store.announce(weighted.weight, weighted.use, weighted.bias);
  }
}

/** What a static node reads: integers for what can be integers, other values as they are. */
export type StaticInput = Operand | Value | undefined;

export const isOperand = (input: StaticInput): input is Operand => input !== undefined && 'quantized' in input;

/** The inputs of a node by position; a Gemm bias of another shape than [N] is not among them. */
export function staticInputs(work: StaticWork, values: IntegerValues, store: WeightStore): StaticInput[] {
  const { node, placement, scheme } = work;
  const weighted = weightedOf(work, values);
  return node.inputs.map((value, index) => {
    const role = roleOf(placement, index);
    if (!value || role === 'plain') return value;
    if (weighted && role === 'weight') return weightOperand(weighted, scheme, store);
    if (role === 'bias') return weighted && biasOperand(weighted, scheme, store);
    const constant = constantOf(value);
    if (!constant) return values.operand(value, node);
    const elementType = activationType(work, values) === 'int8' ? 'int8' : 'uint8';
    return { ...store.weight(constant, { kind: 'operand', elementType }), elementType };
  });
}

/** Element type of the activations around a node. */
function activationType({ node, writes }: StaticWork, values: IntegerValues): string {
  const value = [...writes, ...node.inputs].find((one) => one && values.has(one));
  return value ? values.storedOf(value).scheme.elementType : 'uint8';
}

function weightOperand({ weight, use }: Weighted, scheme: WeightScheme | undefined, store: WeightStore): Operand {
  const { quantized, scale, zeroPoint } = store.weight(weight, use);
  const axis = use.kind === 'filters' && !use.inputFirst ? 0 : 1;
  return { quantized, scale, zeroPoint, elementType: scheme?.elementType ?? 'int8', ...byChannel(scheme, axis) };
}

function biasOperand(weighted: Weighted, scheme: WeightScheme | undefined, store: WeightStore): Operand | undefined {
  const { weight, use, bias } = weighted;
  if (!bias) return undefined;
  const stored = store.weight(weight, use).biases[store.announce(weight, use, bias)];
  if (!stored) throw internalError(`Bias "${bias.name ?? ''}" was not announced.`);
  return { ...stored, elementType: 'int32', ...byChannel(scheme, 0) };
}

const byChannel = (scheme: WeightScheme | undefined, axis: number): Pick<Operand, 'axis'> =>
  scheme?.granularity === 'channel' ? { axis } : {};
