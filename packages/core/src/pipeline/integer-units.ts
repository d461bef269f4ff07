import { type Model, type Node, type Value, walkNodes } from '../ir/index.ts';

/**
 * A node that a written model asks to run on integers: an integer operator itself, or a float operator between
 * DequantizeLinear and QuantizeLinear.
 */
export interface IntegerUnit {
  readonly node: Node;
  /** `MatMul` (Gemm included), `Conv`, or the float operator that it stands for: `Add`, `Transpose`, … */
  readonly kind: string;
}

/** Kernels by kind; operators between integers become `QLinear` and their name. */
const productKernels: Readonly<Record<string, readonly string[]>> = {
  MatMul: ['MatMulInteger', 'DynamicQuantizeMatMul', 'MatMulIntegerToFloat', 'QLinearMatMul', 'QGemm'],
  Conv: ['ConvInteger', 'QLinearConv'],
};

const kindByKernel = new Map(
  Object.entries(productKernels).flatMap(([kind, kernels]) => kernels.map((kernel) => [kernel, kind] as const)),
);

/** What an integer operator stands for; `undefined` for any other. */
export const kindOfKernel = (op: string): string | undefined =>
  kindByKernel.get(op) ?? (op.startsWith('QLinear') ? op.slice('QLinear'.length) : undefined);

export const isProductKind = (kind: string): boolean => Object.hasOwn(productKernels, kind);

/**
 * The integer units of a model. Operators between integers count where one of `kernels` serves them: `QLinearAdd` for
 * Add, `Transpose` for a Transpose that moves integers.
 */
export function integerUnits(model: Model, kernels: readonly string[]): IntegerUnit[] {
  const served = new Set(kernels);
  return [...walkNodes(model)].flatMap((node) => {
    const kind = kindOfKernel(node.op) ?? kindBetweenIntegers(node, served);
    return kind ? [{ node, kind }] : [];
  });
}

/** True where products are written as float operators between integers, which only a runtime turns into integer ones. */
export const hasProductsBetweenIntegers = (model: Model): boolean =>
  integerUnits(model, []).some(({ node, kind }) => isProductKind(kind) && kindOfKernel(node.op) === undefined);

/** A float operator that reads dequantized integers and, unless it is a product, hands out integers again. */
function kindBetweenIntegers(node: Node, served: ReadonlySet<string>): string | undefined {
  if (node.domain !== '') return undefined;
  const kind = node.op === 'Gemm' ? 'MatMul' : node.op;
  if (isProductKind(kind)) return node.inputs.slice(0, 2).every(isDequantized) ? kind : undefined;
  if (!node.outputs[0] || !isQuantizedAtOnce(node.outputs[0])) return undefined;
  const reads = served.has(`QLinear${kind}`) ? operandsOf(node) : served.has(kind) ? node.inputs.slice(0, 1) : [];
  return reads.length > 0 && reads.every(isDequantized) ? kind : undefined;
}

/** All inputs but the condition of Where are numbers that are computed with. */
const operandsOf = ({ op, inputs }: Node): readonly (Value | undefined)[] =>
  op === 'Where' ? inputs.slice(1) : inputs;

const isQuantizedAtOnce = (value: Value): boolean =>
  !value.isGraphOutput && value.consumers.length > 0 && value.consumers.every(({ op }) => op === 'QuantizeLinear');

/** Comes from integers of 8 bits by DequantizeLinear. */
export function isDequantized(value: Value | undefined): boolean {
  const node = value?.producer;
  return node?.op === 'DequantizeLinear' && isByte(node.inputs[0]) && isByte(node.inputs[2]);
}

/** 8 bits, or nothing that says otherwise. */
const isByte = (value: Value | undefined): boolean =>
  value?.elementType === undefined || value.elementType === 'uint8' || value.elementType === 'int8';
