import { type Dim, type ElementType, type Shape, tensorType, type ValueType } from '../../../ir/index.ts';
import { isTensorLike, uniteShapes } from '../merge-types.ts';
import type { OperatorContext } from '../operator-context.ts';
import { allInputs, firstInput, type OutputTypes, type RuleTable, shapesOf } from '../rule.ts';

const sequenceOf = (element: ValueType | undefined): ValueType => ({ kind: 'sequence', element });

/** The element of a sequence or an optional. */
function elementOf(type: ValueType | undefined): ValueType | undefined {
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.element : undefined;
}

function tensorElement(type: ValueType | undefined): { element: ElementType | undefined; shape: Shape | undefined } {
  return isTensorLike(type)
    ? { element: type.elementType, shape: type.shape }
    : { element: undefined, shape: undefined };
}

function construct(op: OperatorContext): OutputTypes {
  if (op.inputCount === 0) op.fail('there are no inputs');
  const elements = allInputs(op).map((index) => tensorElement(op.requiredType(index)).element);
  if (new Set(elements).size > 1) op.fail('the inputs differ in element type');
  const shapes = shapesOf(op, allInputs(op));
  const shape = shapes?.reduce<Shape | undefined>(uniteShapes, shapes[0]);
  return [sequenceOf(tensorType(elements[0], shape))];
}

function insert(op: OperatorContext): OutputTypes {
  const inside = tensorElement(elementOf(op.requiredType(0)));
  const added = tensorElement(op.requiredType(1));
  if (inside.element && added.element && inside.element !== added.element) {
    op.fail(`a ${added.element} tensor does not go into a sequence of ${inside.element}`);
  }
  return [sequenceOf(tensorType(inside.element ?? added.element, uniteShapes(inside.shape, added.shape)))];
}

/** @source onnx/defs/sequence/defs.cc, ConcatFromSequence */
function concat(op: OperatorContext): OutputTypes {
  const { element, shape } = tensorElement(elementOf(op.requiredType(0)));
  if (!shape) return [tensorType(element)];
  const isNew = op.int('new_axis', 0) === 1;
  const rank = shape.length + (isNew ? 1 : 0);
  const axis = op.int('axis') ?? op.fail('attribute axis is missing');
  if (axis < -rank || axis >= rank) op.fail(`axis ${axis} is outside of rank ${rank}`);
  const joined = axis < 0 ? axis + rank : axis;
  const rest = isNew ? [...shape] : shape.filter((_, other) => other !== joined);
  rest.splice(joined, 0, null);
  return [tensorType(element, rest)];
}

/** @source onnx/defs/sequence/utils.cc, SplitToSequenceOpGenerator */
function split(op: OperatorContext): OutputTypes {
  const { element, shape } = tensorElement(op.requiredType(0));
  if (!shape) return [sequenceOf(tensorType(element))];
  const axis = op.int('axis', 0);
  if (axis < -shape.length || axis >= shape.length) op.fail(`axis ${axis} is outside of rank ${shape.length}`);
  const cut = axis < 0 ? axis + shape.length : axis;
  const keeps = op.inputCount > 1 || op.int('keepdims', 1) !== 0;
  const size = op.inputCount > 1 ? partSize(op, shape[cut] as Dim) : 1;
  const result = shape.flatMap((dim, other) => (other !== cut ? [dim] : keeps ? [size] : []));
  return [sequenceOf(tensorType(element, result))];
}

/** Size of all parts, where they are equal. */
function partSize(op: OperatorContext, size: Dim): Dim {
  const [parts, shape] = [op.numbers(1), op.shape(1)];
  const first = parts?.[0];
  if (first === undefined || !parts || !shape || typeof size !== 'number') return null;
  if (shape.length === 0) return first > 0 && size % first === 0 ? first : null;
  const total = parts.reduce((a, b) => a + b, 0);
  if (total !== size) op.fail(`parts of ${total} do not fit ${size}`);
  return parts.every((part) => part === first) ? first : null;
}

/** @source onnx/defs/optional/utils.cc */
function optional(op: OperatorContext): OutputTypes {
  if (op.inputCount > 1) op.fail('there can be one input only');
  // The attribute `type` is a TypeProto, which stays encoded.
  return [op.inputCount === 1 ? { kind: 'optional', element: op.requiredType(0) } : undefined];
}

function optionalElement(op: OperatorContext): OutputTypes {
  const type = op.requiredType(0);
  return type.kind === 'optional' ? [type.element] : firstInput(op);
}

export const sequenceRules: RuleTable = {
  SequenceEmpty: (op) => [sequenceOf(tensorType(op.elementAttribute('dtype') ?? 'float32'))],
  SequenceConstruct: construct,
  SequenceInsert: insert,
  SequenceErase: (op) => [op.requiredType(0)],
  SequenceAt: (op) => [elementOf(op.requiredType(0))],
  SequenceLength: () => [tensorType('int64', [])],
  ConcatFromSequence: concat,
  SplitToSequence: split,
  Optional: optional,
  OptionalGetElement: optionalElement,
  OptionalHasElement: () => [tensorType('bool', [])],
};
