import { inferTypes } from '../analysis/index.ts';
import type { Tap } from '../backend/index.ts';
import {
  type Attribute,
  addNode,
  codeOfElementType,
  type ElementType,
  float32Tensor,
  type Graph,
  intAttribute,
  type Model,
  tensorType,
  type Value,
  type ValueType,
} from '../ir/index.ts';
import type { ObservationRequest } from '../observe/index.ts';
import { valueIds } from '../plan/index.ts';
import { liftValue, Replacements, whyNotLiftable } from './lift-value.ts';
import { requestKey } from './merge-requests.ts';

/** A request that cannot be served, and why. */
export interface Unobservable {
  /** See `requestKey`. */
  readonly tensor: string;
  readonly reason: string;
}

export interface TappedModel {
  readonly taps: readonly Tap[];
  readonly unobservable: readonly Unobservable[];
}

const float32 = codeOfElementType('float32');
const floats: readonly (ElementType | undefined)[] = ['float32', 'float16', 'float64'];

/**
 * Makes what is asked for outputs of the model: the tensors themselves or, where only a range is wanted, their least and
 * greatest value, sum and size. Tensors in the branches of If are handed out of them, empty when their branch is not
 * taken. What the model computes is not changed, nor are the outputs that it has. Changes `model`. O(nodes).
 * @param requests merged: one for each key
 */
export function tapModel(model: Model, requests: readonly ObservationRequest[]): TappedModel {
  const values = new Map([...valueIds(model)].map(([value, id]) => [id, value]));
  const { typeOf } = inferTypes(model);
  const replacements = new Replacements();
  const taps: Tap[] = [];
  const unobservable: Unobservable[] = [];
  const refuse = (request: ObservationRequest, reason: string): void =>
    void unobservable.push({ tensor: requestKey(request), reason });
  for (const [ordinal, request] of requests.entries()) {
    const original = values.get(request.tensor);
    if (!original) {
      refuse(request, 'the model has no such tensor');
      continue;
    }
    const type = typeOf(original);
    const value = replacements.current(original);
    const reason = whyNot(value, type, model);
    if (reason === undefined) taps.push(tap(model.graph, { value, type, request, ordinal, replacements }));
    else refuse(request, reason);
  }
  return { taps, unobservable };
}

function whyNot(value: Value, type: ValueType | undefined, model: Model): string | undefined {
  const elementType = type?.kind === 'tensor' ? type.elementType : undefined;
  if (type && type.kind !== 'tensor') return `it is a ${type.kind}, no tensor`;
  if (elementType && !floats.includes(elementType)) return `it is ${elementType}, and only floats are observed`;
  const inside = whyNotLiftable(value, model.graph);
  if (inside !== undefined) return inside;
  const isInBranch = value.origin.kind === 'output' && value.origin.node.graph !== model.graph;
  // The branch that is not taken has to give an empty tensor of the same type.
  return isInBranch && !elementType ? 'it is inside a branch of If, and its element type is not known' : undefined;
}

interface Subject {
  readonly value: Value;
  readonly type: ValueType | undefined;
  readonly request: ObservationRequest;
  readonly ordinal: number;
  readonly replacements: Replacements;
}

function tap(graph: Graph, { value, type, request, ordinal, replacements }: Subject): Tap {
  const elementType = type?.kind === 'tensor' ? type.elementType : undefined;
  const name = (what: string): string => `optimum.tap.${ordinal}.${what}`;
  const isNested = value.origin.kind === 'output' && value.origin.node.graph !== graph;
  const lifted = isNested ? liftValue(value, elementType as ElementType, graph, replacements) : value;
  const seen = request.divisor ? divided(graph, lifted, elementType, request.divisor) : lifted;
  const seenType = request.divisor ? 'float32' : elementType;
  const { detail, channelAxis, rows } = request;
  const isReducible = seenType === 'float32' && detail === 'range' && channelAxis === undefined && !rows;
  return {
    tensor: requestKey(request),
    output: expose(graph, seen, seen === value ? request.tensor : name('tensor'), seenType),
    detail,
    ...(isReducible && { reduced: reductions(graph, seen, name) }),
    ...(channelAxis !== undefined && { channelAxis }),
    ...(rows && { rows }),
  };
}

/** In float32, whatever the tensor is stored as. */
function divided(graph: Graph, value: Value, elementType: ElementType | undefined, divisor: readonly number[]): Value {
  const numbers = elementType === 'float32' ? value : add(graph, 'Cast', [value], { to: intAttribute(float32) });
  return add(graph, 'Div', [numbers, graph.addInitializer(float32Tensor([divisor.length], divisor))]);
}

/** Without axes, every version of these operators reduces the whole tensor. */
function reductions(graph: Graph, value: Value, name: (what: string) => string): NonNullable<Tap['reduced']> {
  const whole = { keepdims: intAttribute(0) };
  const reduced = (op: string, what: string): string =>
    expose(graph, add(graph, op, [value], whole), name(what), 'float32');
  return {
    min: reduced('ReduceMin', 'min'),
    max: reduced('ReduceMax', 'max'),
    sum: reduced('ReduceSum', 'sum'),
    size: expose(graph, add(graph, 'Size', [value]), name('size'), 'int64'),
  };
}

const add = (graph: Graph, op: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value =>
  addNode(graph, op, { inputs, attributes }).outputs[0] as Value;

/**
 * Makes a value an output of the graph and returns the name under which the runtime hands it out. Public names stay as
 * they are; shapes are not declared, so that the runtime fuses by no more than before.
 */
function expose(graph: Graph, value: Value, name: string, elementType: ElementType | undefined): string {
  if (graph.outputs.includes(value)) return value.name as string;
  const isInput = value.origin.kind === 'input';
  const output = isInput ? add(graph, 'Identity', [value]) : value;
  output.name = isInput ? `${name}|input` : name;
  output.type = elementType && tensorType(elementType);
  graph.addOutput(output);
  return output.name;
}
