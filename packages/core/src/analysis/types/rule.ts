import { type Dim, type ElementType, type Shape, tensorType, type ValueType } from '../../ir/index.ts';
import { isTensorLike } from './merge-types.ts';
import type { OperatorContext } from './operator-context.ts';
import { broadcastShapes } from './shapes.ts';

/** Types of a node's outputs, in their order; `undefined` for one of which nothing is known. */
export type OutputTypes = readonly (ValueType | undefined)[];

/**
 * What an operator makes of its inputs. Pure; the same rules serve both ways of inference, which differ in the data
 * and the arithmetic that the context lends.
 * @throws Contradiction where the inputs cannot be
 */
export type Rule = (op: OperatorContext) => OutputTypes;

/** Operators of one domain. */
export type RuleTable = Readonly<Record<string, Rule>>;

/**
 * Rules by the opset from which they hold. Below the first, Python knows nothing; we take the first, as the operators
 * did not change what they say of types.
 */
export function since(rules: Readonly<Record<number, Rule>>): Rule {
  const versions = Object.keys(rules)
    .map(Number)
    .sort((a, b) => b - a);
  const oldest = rules[versions.at(-1) as number] as Rule;
  return (op) => {
    const version = versions.find((candidate) => candidate <= op.version);
    if (version !== undefined) return (rules[version] as Rule)(op);
    return op.emulates ? [] : oldest(op);
  };
}

/** The same rule for several operators. */
export const forEach = (names: readonly string[], rule: Rule): RuleTable =>
  Object.fromEntries(names.map((name) => [name, rule]));

/** The type of an input, whatever it is, for an output of the same type. */
export function sameAs(op: OperatorContext, index: number): ValueType | undefined {
  const type = op.type(index);
  if (!type || isTensorLike(type)) op.element(index);
  return type;
}

/** One output of the type and shape of the first input. @source propagateShapeAndTypeFromFirstInput */
export const firstInput: Rule = (op) => [sameAs(op, 0)];

/** A tensor with the element type of an input; sparse if that one is. */
export function tensorLike(op: OperatorContext, index: number, shape: Shape | undefined): ValueType {
  const element = op.element(index);
  return { kind: op.type(index)?.kind === 'sparse' ? 'sparse' : 'tensor', elementType: element, shape };
}

/** One output with the element type of the first input. */
export const shaped = (op: OperatorContext, shape: Shape | undefined): OutputTypes => [tensorLike(op, 0, shape)];

/** One output of a fixed element type and the shape of the first input. */
export const withElement =
  (element: ElementType): Rule =>
  (op) => [tensorType(element, op.shape(0))];

/** The shapes of some inputs, or `undefined` if one of them is not known. */
export function shapesOf(op: OperatorContext, indices: readonly number[]): Shape[] | undefined {
  const shapes = indices.map((index) => op.shape(index));
  return shapes.every((shape) => shape !== undefined) ? (shapes as Shape[]) : undefined;
}

export const allInputs = (op: OperatorContext): number[] => Array.from({ length: op.inputCount }, (_, index) => index);

/** What some inputs give when broadcast against each other. */
export function broadcastOf(op: OperatorContext, indices: readonly number[]): Dim[] | undefined {
  const shapes = shapesOf(op, indices);
  return shapes && broadcastShapes(shapes, op.algebra);
}

/** Fails unless the input has the rank, where that is known. */
export function checkRank(op: OperatorContext, index: number, rank: number): void {
  const shape = op.shape(index);
  if (shape && shape.length !== rank) op.fail(`input ${index} must have rank ${rank}, but has ${shape.length}`);
}
