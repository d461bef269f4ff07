import type { Dim, Shape } from '../../../ir/index.ts';
import { isTensorLike } from '../merge-types.ts';
import type { OperatorContext } from '../operator-context.ts';
import type { OutputTypes } from '../rule.ts';
import { isStandard } from '../rule-tables.ts';
import { evaluators, type Values } from './evaluators.ts';
import { smallCount } from './indexing.ts';

/**
 * Data of a node's outputs, as far as they follow from the data and the shapes of its inputs: what models compute of
 * shapes. `undefined` where nothing is known, or where there is too much of it.
 */
export function evaluate(op: OperatorContext, outputs: OutputTypes): (Values | undefined)[] {
  const evaluator = Object.hasOwn(evaluators, op.node.op) ? evaluators[op.node.op] : undefined;
  if (!evaluator || !isStandard(op.node)) return [];
  const shapes = outputs.map((type) => smallShape(isTensorLike(type) ? type.shape : undefined));
  if (!shapes.some((shape) => shape !== undefined)) return [];
  return evaluator(op, shapes).map((values, index) => checked(values, shapes[index]));
}

const smallShape = (shape: Shape | undefined): readonly number[] | undefined =>
  smallCount(shape) === undefined ? undefined : (shape as readonly number[]);

function checked(values: Values | undefined, shape: readonly number[] | undefined): Values | undefined {
  if (!values || !shape || values.length !== smallCount(shape)) return undefined;
  const sound = values.map((value): Dim => (typeof value === 'number' && !Number.isFinite(value) ? null : value));
  return sound.length === 0 || sound.some((value) => value !== null) ? sound : undefined;
}
