import { storedTensor } from '../../analysis/index.ts';
import { internalError } from '../../foundation/index.ts';
import { type ElementType, type Graph, intAttribute, type Node, tensorType, type Value } from '../../ir/index.ts';
import { flippedTensor } from './flipped-tensor.ts';
import type { RecentreGroup, ZeroPointPlace } from './recentre-group.ts';
import { addBytes, byteNumbersOf } from './small-integers.ts';

export type ByteType = Extract<ElementType, 'uint8' | 'int8'>;

const typeNumbers: Readonly<Record<ByteType, number>> = { uint8: 2, int8: 3 };

/** How far numbers move that become of this type. */
const shiftTo = (to: ByteType): number => (to === 'uint8' ? 128 : -128);

/** New zero points by graph and old one, so that what was shared between groups stays so. */
export type ShiftedZeroPoints = Map<Graph, Map<Value, Value>>;

/** Makes the values of a group the other 8-bit type, and moves their zero points along: what is computed stays. */
export function recentre(group: RecentreGroup, to: ByteType, zeroPoints: ShiftedZeroPoints = new Map()): void {
  for (const place of group.zeroPoints) shiftZeroPoint(place, to, zeroPoints);
  for (const value of group.values) if (!storedTensor(value)) retype(value, to);
  for (const value of group.stored) replaceStored(value, to);
}

function retype(value: Value, to: ByteType): void {
  if (value.type?.kind === 'tensor') value.type = tensorType(to, value.type.shape);
}

function replaceStored(value: Value, _to: ByteType): void {
  const graph = graphOf(value);
  const flipped = graph.addInitializer(
    flippedTensor(storedTensor(value) as NonNullable<ReturnType<typeof storedTensor>>),
  );
  value.replaceAllUsesWith(flipped);
  takeName(value, flipped);
}

/** The name goes along, but for that of a graph input, which is the user's. */
export function takeName(from: Value, to: Value): void {
  if (from.name === undefined) return;
  if (from.isPublic) to.name = `${from.name}_retargeted`;
  else [to.name, from.name] = [from.name, undefined];
}

export function graphOf({ origin }: Value): Graph {
  const graph = origin.kind === 'output' ? origin.node.graph : origin.kind === 'detached' ? undefined : origin.graph;
  if (!graph) throw internalError('A stored value is in no graph.');
  return graph;
}

/** Zero points are small: they are replaced, one for all places of a graph that shared the old one. */
function shiftZeroPoint({ node, index, scale }: ZeroPointPlace, to: ByteType, known: ShiftedZeroPoints): void {
  const graph = node.graph as Graph;
  const old = node.inputs[index];
  if (!old) {
    node.setInput(index, missingZeroPoint(node, scale, to));
  } else {
    const made = known.get(graph) ?? new Map<Value, Value>();
    known.set(graph, made);
    const shifted = made.get(old) ?? shiftedZeroPoint(graph, old, to);
    made.set(old, shifted);
    node.setInput(index, shifted);
  }
  if (node.is('QuantizeLinear') && node.int('output_dtype', 0) !== 0)
    node.setAttribute('output_dtype', intAttribute(typeNumbers[to]));
}

function shiftedZeroPoint(graph: Graph, old: Value, to: ByteType): Value {
  const numbers = byteNumbersOf(old);
  const dims = storedTensor(old)?.dims;
  if (!numbers || !dims) throw internalError(`Zero point "${old.name ?? ''}" is not stored.`);
  const shift = shiftTo(to);
  return addBytes(
    graph,
    to,
    dims,
    numbers.map((number) => number + shift),
    old.name && `${old.name}_${to}`,
  );
}

/** A zero point that is left out is 0, and has the dims of its scale. */
function missingZeroPoint(node: Node, scale: number | undefined, to: ByteType): Value {
  const scaleValue = scale === undefined ? undefined : node.inputs[scale];
  const dims = (scaleValue && storedTensor(scaleValue)?.dims) ?? [];
  const count = dims.reduce((a, b) => a * b, 1);
  return addBytes(node.graph as Graph, to, dims, Array(count).fill(shiftTo(to)), undefined);
}
