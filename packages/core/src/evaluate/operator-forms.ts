import type { CostTable } from '../backend/index.ts';
import type { Node } from '../ir/index.ts';
import { timeOf } from './cost-model.ts';
import { kernelsOf, type ShapeOf } from './operator-kernels.ts';

/** Microseconds that a node takes in one form. */
export interface FormTime {
  /** `float32`, or the integer kernel that it would be. */
  readonly form: string;
  readonly kernel: string;
  readonly microseconds: number;
}

/** Integer kernels in the place of a float one. */
const formsOf: Readonly<Record<string, readonly (readonly [form: string, kernel: string])[]>> = {
  'matmul-float32': [
    ['dynamic u8s8', 'matmul-u8s8-dynamic'],
    ['dynamic u8u8', 'matmul-u8u8-dynamic'],
    ['static u8s8', 'matmul-u8s8-static'],
    ['static s8s8', 'matmul-s8s8-static'],
    ...[4, 8].flatMap((bits) =>
      [32, 128].map(
        (block) => [`${bits} bits by ${block}`, `matmul-${bits}bit-block${block}-level4`] as readonly [string, string],
      ),
    ),
  ],
  ...Object.fromEntries(
    ['1x1', '3x3', 'depthwise'].map((kind) => [
      `conv-float32-${kind}`,
      [
        ['static u8s8', `conv-u8s8-static-${kind}`],
        ['dynamic u8u8', `conv-u8u8-dynamic-${kind}`],
      ],
    ]),
  ),
};

/**
 * What a node takes in float and in each integer form that was measured, at the shapes that occur, with weights that stay
 * in the caches; float first. Empty where a shape is not known. Pure.
 */
export function formTimes(node: Node, shapeOf: ShapeOf, table: CostTable): FormTime[] {
  const [use, ...others] = kernelsOf(node, shapeOf);
  if (!use || others.length > 0) return [];
  const candidates = [['float32', use.kernel] as const, ...(formsOf[use.kernel] ?? [])];
  return candidates.flatMap(([form, kernel]) => {
    const us = timeOf(table, kernel, use.shape);
    return us === undefined ? [] : [{ form, kernel, microseconds: us * use.count }];
  });
}
