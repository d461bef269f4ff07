import { type Dim, type Shape, tensorType, type ValueType } from '../../../ir/index.ts';
import { isTensorLike, mapShapes, uniteTypes } from '../merge-types.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, type RuleTable, since } from '../rule.ts';
import { normalizeAxis, unifyDims } from '../shapes.ts';

/** What holds in both branches, or in the one that is always taken. @source onnx/defs/controlflow/utils.cc, IfInferenceFunction */
function branch(op: OperatorContext): OutputTypes {
  const [then, other] = [op.inferGraph('then_branch', []), op.inferGraph('else_branch', [])];
  if (then.length !== other.length) op.fail(`the branches give ${then.length} and ${other.length} values`);
  if (then.length !== op.outputCount) op.fail(`the branches give ${then.length} values for ${op.outputCount} outputs`);
  const condition = op.emulates ? undefined : op.numbers(0)?.[0];
  if (condition !== undefined) return condition === 0 ? other : then;
  return then.map((type, index) => {
    const second = other[index];
    return type && second ? uniteTypes(type, second) : undefined;
  });
}

const withoutShape = (type: ValueType): ValueType => mapShapes(type, () => undefined);

/** Values that a loop carries may change their shape, so the body is inferred without. */
function loop(op: OperatorContext): OutputTypes {
  const carried = Math.max(0, op.inputCount - 2);
  const states = Array.from({ length: carried }, (_, index) => op.requiredType(index + 2));
  const results = op.inferGraph('body', [tensorType('int64'), op.type(1), ...states.map(withoutShape)]);
  if (results.length !== op.outputCount + 1)
    op.fail(`the body gives ${results.length} values for ${op.outputCount} outputs`);
  return results.slice(1).map((type, index) => {
    if (!type) return states[index] && withoutShape(states[index] as ValueType);
    if (index < carried) return sameElement(op, states[index] as ValueType, type);
    return isTensorLike(type)
      ? { ...type, shape: type.shape && [null, ...type.shape] }
      : op.fail(`scanned output ${index} is no tensor`);
  });
}

/** The type that goes in and the one that comes out must agree, but for their shapes. */
function sameElement(op: OperatorContext, before: ValueType, after: ValueType): ValueType {
  const result = withoutShape(after);
  if (isTensorLike(before) && isTensorLike(after) && before.elementType && after.elementType) {
    if (before.elementType !== after.elementType)
      op.fail(`a loop gets ${before.elementType}, but gives ${after.elementType}`);
  }
  if (!op.emulates || isTensorLike(after)) return result;
  if (before.kind !== after.kind) op.fail(`a loop gets a ${before.kind}, but gives a ${after.kind}`);
  // Python keeps the shape that the elements of a sequence had before the first turn.
  return before;
}

/** @source onnx/defs/controlflow/utils.cc, ScanInferenceFunction */
function scan(op: OperatorContext): OutputTypes {
  const scanned = op.int('num_scan_inputs') ?? op.fail('attribute num_scan_inputs is missing');
  const carried = op.inputCount - scanned;
  if (carried < 0 || carried > op.outputCount) op.fail(`${scanned} scanned inputs do not fit ${op.inputCount}`);
  const axes = op.ints('scan_input_axes') ?? [];
  let length: Dim = null;
  const inputs = op.node.inputs.map((_, index) => {
    const type = op.requiredType(index);
    if (index < carried || !isTensorLike(type) || !type.shape) return type;
    const axis = normalizeAxis(axes[index - carried] ?? 0, type.shape.length);
    length = unifyDims(length, type.shape[axis] as Dim);
    return { ...type, shape: type.shape.filter((_, other) => other !== axis) };
  });
  const results = op.inferGraph('body', inputs);
  if (results.length !== op.outputCount)
    op.fail(`the body gives ${results.length} values for ${op.outputCount} outputs`);
  return results.map((type, index) => {
    if (!isTensorLike(type)) return index < carried ? inputs[index] : undefined;
    if (index < carried) return carriedType(inputs[index] as ValueType, type);
    const axis = op.ints('scan_output_axes')?.[index - carried] ?? 0;
    return { ...type, shape: type.shape && insertDim(type.shape, axis, length) };
  });
}

/** The first input of a carried value has its shape, and the body does not change it. */
function carriedType(before: ValueType, after: ValueType): ValueType {
  if (!isTensorLike(before) || !isTensorLike(after)) return before;
  const shape = before.shape && after.shape ? mergedShape(before.shape, after.shape) : (before.shape ?? after.shape);
  return { ...before, shape };
}

const mergedShape = (target: Shape, source: Shape): Shape =>
  target.map((dim, axis) => unifyDims(dim, source[axis] ?? null));

function insertDim(shape: Shape, axis: number, dim: Dim): Shape {
  const position = normalizeAxis(axis, shape.length + 1);
  return [...shape.slice(0, position), dim, ...shape.slice(position)];
}

/** Scan 8 had a batch axis in front of all, and the lengths of the sequences as its first input. */
function batchedScan(op: OperatorContext): OutputTypes {
  const scanned = op.int('num_scan_inputs') ?? op.fail('attribute num_scan_inputs is missing');
  const carried = op.inputCount - 1 - scanned;
  let [batch, length]: [Dim, Dim] = [null, null];
  const inputs = op.node.inputs.slice(1).map((_, index) => {
    const type = op.requiredType(index + 1);
    if (!isTensorLike(type) || !type.shape) return type;
    if (index < carried) return { ...type, shape: type.shape.slice(1) };
    batch = unifyDims(batch, type.shape[0] ?? null);
    length = unifyDims(length, type.shape[1] ?? null);
    return { ...type, shape: type.shape.slice(2) };
  });
  return op.inferGraph('body', inputs).map((type, index) => {
    if (!isTensorLike(type) || !type.shape) return type;
    const outer: Shape = index < carried ? [batch] : [batch, length];
    const inferred: ValueType = { ...type, shape: [...outer, ...type.shape] };
    return index < carried ? carriedType(op.requiredType(index + 1), inferred) : inferred;
  });
}

/** Sequences are given to the body element by element. @source onnx/defs/sequence/defs.cc, SequenceMap */
function mapSequence(op: OperatorContext): OutputTypes {
  const inputs = op.node.inputs.map((_, index) => {
    const type = op.requiredType(index);
    if (type.kind !== 'sequence' && index === 0) op.fail('the first input must be a sequence');
    return type.kind === 'sequence' ? type.element : type;
  });
  return op.inferGraph('body', inputs).map((element) => ({ kind: 'sequence', element }));
}

export const controlFlowRules: RuleTable = {
  If: branch,
  Loop: loop,
  Scan: since({ 8: batchedScan, 9: scan }),
  SequenceMap: mapSequence,
};
