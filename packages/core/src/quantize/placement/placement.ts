import type { Node } from '../../ir/index.ts';

/**
 * What an input is to an integer operator. `activation`: integers with parameters of their own. `weight` and `bias`:
 * stored once as integers. `plain`: taken as it is (shapes, indices, conditions).
 */
export type InputRole = 'activation' | 'weight' | 'bias' | 'plain';

/**
 * Where the parameters of the output come from. `own`: it always is integers with a range from statistics. `optional`:
 * it may stay float, because the kernel can give floats. `shared`: those of the first input, for the operator only moves
 * numbers. `probability`: known without data, in [0, 1].
 */
export type OutputRule = 'own' | 'optional' | 'shared' | 'probability';

/** How the operator for integers takes its operands; one emitter for each. */
export type OperandOrder = 'weighted' | 'unary' | 'binary' | 'concat' | 'where' | 'mover';

/**
 * How one operator becomes integer: plain data, read by the planner and by both emitters. It is no claim about kernels
 * (capabilities are) and no choice (recipes are).
 */
export interface Placement {
  readonly op: string;
  /** @defaultValue the standard domain */
  readonly domain?: string;
  /** By position; the last one stands for all that follow. */
  readonly inputs: readonly InputRole[];
  readonly output: OutputRule;
  readonly order: OperandOrder;
  /** The operator of the QOperator form, and its domain where that is not the standard one. */
  readonly integer?: { readonly op: string; readonly domain?: string };
  /** The least opset in which the operator itself takes 8-bit integers, where it is the one that runs on them. */
  readonly opset?: number;
  /** What about a node rules it out. */
  readonly refuse?: (node: Node) => string | undefined;
}

/** The role of the input at a position. */
export const roleOf = ({ inputs }: Placement, index: number): InputRole =>
  inputs[Math.min(index, inputs.length - 1)] ?? 'plain';
