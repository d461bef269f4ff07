import { internalError } from '../foundation/index.ts';
import type { Node, Value } from '../ir/index.ts';
import type { IntegerValues } from './integer-values.ts';
import type { StaticWork } from './static-operands.ts';
import type { WeightStore } from './weight-store.ts';

/** QLinearConv and QLinearMatMul came with this opset; the runtime fails to load what it fuses into them before. */
export const firstFusibleOpset = 10;

/** What all static nodes of a model have in common while they are made. */
export interface StaticContext {
  readonly values: IntegerValues;
  readonly store: WeightStore;
  /** Of the standard domain. */
  readonly opset: number;
  /** The QOperator form. */
  readonly usesOperators: boolean;
  readonly isStatic: (node: Node) => boolean;
}

/** True when the node becomes an operator on integers itself: those know 8 bits only, and not every operator has one. */
export function takesOperators(work: StaticWork, { usesOperators, values }: StaticContext): boolean {
  const { integer, order } = work.placement;
  return usesOperators && (integer !== undefined || order === 'mover') && isIn8Bits(work, values);
}

/** True when weight and activations of a node are stored in 8 bits. */
export function isIn8Bits({ node, scheme }: StaticWork, values: IntegerValues): boolean {
  const { inputs, outputs } = node;
  const stored = [...inputs, ...outputs].filter((value): value is Value => value !== undefined && values.has(value));
  const types = stored.map((value) => values.storedOf(value).scheme.elementType);
  return scheme?.elementType !== 'int4' && types.every((type) => type === 'uint8' || type === 'int8');
}

/** Puts values in the place of a node's outputs, under their names and types, and removes the node. */
export function replaceOutputs(node: Node, results: readonly (Value | undefined)[]): void {
  node.outputs.forEach((output, index) => {
    const result = results[index];
    if (!output) return;
    if (!result) throw internalError(`Output ${index} of ${node.op} "${node.name ?? ''}" has no successor.`);
    replaceValue(output, result);
  });
  node.graph?.remove(node);
}

/** Puts a value in the place of another, under its name and type. */
export function replaceValue(old: Value, fresh: Value): void {
  fresh.type = old.type;
  old.replaceAllUsesWith(fresh);
  if (old.name !== undefined && !fresh.name) [fresh.name, old.name] = [old.name, undefined];
}
