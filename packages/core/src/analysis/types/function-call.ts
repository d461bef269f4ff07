import type { ModelFunction, Node, Value, ValueType } from '../../ir/index.ts';
import type { GraphInference } from './graph-inference.ts';
import type { ModelInference } from './model-inference.ts';
import type { OperatorContext } from './operator-context.ts';
import type { OutputTypes } from './rule.ts';
import { Scope } from './scope.ts';

const maxCalls = 32;

/** The function of the model that a node calls. */
export const functionOf = (model: ModelInference, node: Node): ModelFunction | undefined =>
  model.functions.get(functionKey(node.domain, node.op, node.overload));

export const functionKey = (domain: string, name: string, overload: string | undefined): string =>
  `${domain}\n${name}\n${overload ?? ''}`;

/**
 * Walks the body of a function with the types, data and attributes of the call.
 * @source onnx/shape_inference/implementation.cc, ShapeInferenceImplBase::Process(FunctionProto)
 */
export function callFunction(caller: GraphInference, op: OperatorContext, called: ModelFunction): OutputTypes {
  const { calls } = caller.scope;
  if (calls.includes(called)) op.fail(`function ${called.name} calls itself`);
  if (calls.length >= maxCalls) op.fail(`functions call each other more than ${maxCalls} deep`);
  const scope = new Scope(called.opsetImports, [...calls, called]);
  called.body.inputs.forEach((value, index) => bindInput(caller, op, scope, value, index));
  for (const [name, attribute] of called.attributeDefaults) scope.attributes.set(name, attribute);
  for (const name of [...called.attributes, ...called.attributeDefaults.keys()]) {
    const given = op.attribute(name);
    if (given) scope.attributes.set(name, given);
  }
  caller.walkBody(called.body, scope);
  return called.body.outputs.map((value, index) => returned(caller, op, scope, value, index));
}

function bindInput(caller: GraphInference, op: OperatorContext, scope: Scope, formal: Value, index: number): void {
  const actual = op.node.inputs[index];
  if (!actual || !op.hasInput(index)) {
    scope.absent.add(formal);
    return;
  }
  const [type, tensor] = [caller.typeOf(actual), caller.tensorOf(actual)];
  if (type) scope.types.set(formal, type);
  if (tensor) scope.tensors.set(formal, tensor);
  const values = caller.valuesOf(actual);
  if (values) scope.values.set(formal, values);
}

function returned(
  caller: GraphInference,
  op: OperatorContext,
  scope: Scope,
  formal: Value,
  index: number,
): ValueType | undefined {
  const actual = op.node.outputs[index];
  const values = scope.values.get(formal);
  if (actual && values && !caller.emulates) caller.scope.values.set(actual, values);
  return scope.types.get(formal);
}
