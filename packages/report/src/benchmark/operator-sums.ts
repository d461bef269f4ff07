import type { OperatorTime } from '@optimum/core';

/** All nodes of one operator. */
export interface OperatorSum {
  readonly op: string;
  readonly nodes: number;
  readonly meanUs: number;
}

/** Times by operator, heaviest first. */
export function operatorSums(times: readonly OperatorTime[]): OperatorSum[] {
  const sums = new Map<string, OperatorSum>();
  for (const { op, meanUs } of times) {
    const { nodes, meanUs: before } = sums.get(op) ?? { nodes: 0, meanUs: 0 };
    sums.set(op, { op, nodes: nodes + 1, meanUs: before + meanUs });
  }
  return [...sums.values()].sort((a, b) => b.meanUs - a.meanUs);
}

/** The named operators in the order of their names, and the others as one. */
export function withRest(sums: readonly OperatorSum[], names: readonly string[]): OperatorSum[] {
  const shown = names.flatMap((name) => sums.filter(({ op }) => op === name));
  const others = sums.filter(({ op }) => !names.includes(op));
  if (others.length === 0) return shown;
  const nodes = others.reduce((sum, other) => sum + other.nodes, 0);
  return [...shown, { op: 'all others', nodes, meanUs: sumOf(others) }];
}

export const sumOf = (sums: readonly OperatorSum[]): number => sums.reduce((sum, { meanUs }) => sum + meanUs, 0);
