import { type ConstantRef, constantOf } from '../../analysis/index.ts';
import type { Model, Node, Value } from '../../ir/index.ts';
import { editableGraphs } from '../../passes/editable-graphs.ts';
import type { Matrix } from './matrix.ts';

/** A MatMul or Gemm whose second operand is a constant float32 matrix: y[…, outputs] = x[…, inputs] · W. */
export interface Product {
  readonly node: Node;
  readonly source: Value;
  readonly output: Value;
  readonly weight: ConstantRef;
  readonly inputs: number;
  readonly outputs: number;
  /** True when the node reads the weight as [outputs, inputs] (transB of Gemm). */
  readonly isTransposed: boolean;
  /** alpha of Gemm. */
  readonly alpha: number;
}

/** `undefined` for other operators, and for weights that are computed, of another type, or no matrix. */
export function productOf(node: Node): Product | undefined {
  const isGemm = node.is('Gemm');
  if (!isGemm && !node.is('MatMul')) return undefined;
  const [source, operand] = node.inputs;
  const output = node.outputs[0];
  const weight = operand && constantOf(operand);
  if (!source || !output || !weight || constantOf(source)) return undefined;
  if (weight.elementType !== 'float32' || weight.tensor.elementType !== 'float32') return undefined;
  const [first, second, ...more] = weight.dims;
  if (!first || !second || more.length > 0 || (isGemm && node.int('transA', 0) !== 0)) return undefined;
  const isTransposed = isGemm && node.int('transB', 0) !== 0;
  const [inputs, outputs] = isTransposed ? [second, first] : [first, second];
  return { node, source, output, weight, inputs, outputs, isTransposed, alpha: isGemm ? node.float('alpha', 1) : 1 };
}

/** All products of a model, in order; bodies of functions hold no weights. */
export const productsOf = (model: Model): Product[] =>
  editableGraphs(model).flatMap((graph) => [...graph.nodes()].flatMap((node) => productOf(node) ?? []));

/**
 * True when nothing but the one reader sees the weight: not tied to an embedding, not shared between layers. What is
 * done to it then happens to nobody else.
 */
export function isOnlyReader({ root, path }: ConstantRef): boolean {
  return [root, ...path.map((node) => node.outputs[0])].every((value) => value?.uses.size === 1);
}

/** The weight as [inputs, outputs], however it is stored. One copy in memory. */
export function readWeight({ weight, inputs, outputs, isTransposed }: Product): Matrix {
  const values = new Float32Array(inputs * outputs);
  // What the node reads transposed of what is stored transposed lies as it should.
  const liesAcross = weight.transposed !== isTransposed;
  let index = 0;
  for (const chunk of weight.tensor.chunks()) {
    for (const value of new Float32Array(new Uint8Array(chunk).buffer)) {
      const place = liesAcross ? (index % inputs) * outputs + Math.floor(index / inputs) : index;
      values[place] = value;
      index++;
    }
  }
  return { rows: inputs, columns: outputs, values };
}

/** Why a weight cannot be worked with, in a few words. */
export const notFinite = 'its weight holds NaN or infinity';
export const isFiniteMatrix = ({ values }: Matrix): boolean => values.every(Number.isFinite);
