import type { Node } from '../../ir/index.ts';
import { elementwise } from './elementwise.ts';
import { movers } from './movers.ts';
import type { Placement } from './placement.ts';
import { products } from './products.ts';

export * from './placement.ts';

/** How every operator that can be static becomes so. */
export const placements: readonly Placement[] = [...products, ...elementwise, ...movers];

const byOperator = new Map(placements.map((placement) => [`${placement.domain ?? ''}:${placement.op}`, placement]));

/** How a node becomes integer; `undefined` for operators that cannot. */
export const placementOf = ({ op, domain }: Pick<Node, 'op' | 'domain'>): Placement | undefined =>
  byOperator.get(`${domain}:${op}`);
