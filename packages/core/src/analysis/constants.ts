import type { Node, Tensor, Value } from '../ir/index.ts';

/** A weight, wherever it hides, and how it is laid out when it reaches its reader. */
export interface ConstantRef {
  /** The stored data. */
  readonly tensor: Tensor;
  /** The value that holds the data: an initializer, an input with data, or the output of a Constant node. */
  readonly root: Value;
  /** Element type and dims as the reader sees them. */
  readonly elementType: Tensor['elementType'];
  readonly dims: readonly number[];
  /** True when the reader sees the stored matrix [dims[1], dims[0]] transposed. */
  readonly transposed: boolean;
  /** Nodes between the data and the reader, nearest to the data first. */
  readonly path: readonly Node[];
}

/**
 * The one door to weights. Follows Identity, Cast between floats, Transpose of a matrix, and Reshape, Squeeze,
 * Unsqueeze and Flatten with constant shape, back to stored data of this graph or of one around it. No payload is read
 * but that of small shape tensors. `undefined` when the value depends on an input, or its layout is not a plain one.
 */
export function constantOf(value: Value): ConstantRef | undefined {
  const stored = storedTensor(value);
  if (stored) {
    return {
      tensor: stored,
      root: value,
      elementType: stored.elementType,
      dims: stored.dims,
      transposed: false,
      path: [],
    };
  }
  const node = value.producer;
  const source = node?.inputs[0];
  if (!node || !source || !(node.op in steps) || node.domain !== '') return undefined;
  const before = constantOf(source);
  const after = before && steps[node.op]?.(node, before);
  return after && { ...after, path: [...before.path, node] };
}

/** Data stored in the model itself: no operator in between but Constant. */
export function storedTensor(value: Value): Tensor | undefined {
  const { origin } = value;
  if (origin.kind === 'initializer') return origin.tensor;
  if (origin.kind === 'input') return origin.fallback;
  if (origin.kind !== 'output' || !origin.node.is('Constant')) return undefined;
  const attribute = origin.node.attributes.get('value');
  return attribute?.type === 'tensor' ? attribute.value : undefined;
}

type Step = (node: Node, before: ConstantRef) => Omit<ConstantRef, 'path'> | undefined;

const floats = new Map([
  [1, 'float32'],
  [10, 'float16'],
  [11, 'float64'],
  [16, 'bfloat16'],
] as const);

const steps: Readonly<Record<string, Step>> = {
  Identity: (_node, before) => before,
  Cast(node, before) {
    const to = floats.get(node.int('to', 0) as 1);
    const isFloat = [...floats.values()].includes(before.elementType as 'float32');
    return to && isFloat ? { ...before, elementType: to } : undefined;
  },
  Transpose(node, before) {
    const perm = node.ints('perm') ?? before.dims.map((_, axis) => before.dims.length - 1 - axis);
    if (perm.every((from, axis) => from === axis)) return before;
    if (before.dims.length !== 2) return undefined;
    return { ...before, dims: [before.dims[1] as number, before.dims[0] as number], transposed: !before.transposed };
  },
  Reshape: (node, before) => reshaped(before, integersOf(node.inputs[1])),
  Squeeze(node, before) {
    const axes = axesOf(node);
    const kept = before.dims.filter((dim, axis) =>
      axes ? !axes.includes(axis) && !axes.includes(axis - before.dims.length) : dim !== 1,
    );
    return reshaped(before, kept);
  },
  Unsqueeze(node, before) {
    const axes = axesOf(node);
    if (!axes) return undefined;
    const rank = before.dims.length + axes.length;
    const inserted = new Set(axes.map((axis) => (axis + rank) % rank));
    const rest = [...before.dims];
    return reshaped(
      before,
      Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : (rest.shift() as number))),
    );
  },
  Flatten(node, before) {
    const axis = node.int('axis', 1);
    const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
    return reshaped(before, [product(before.dims.slice(0, axis)), product(before.dims.slice(axis))]);
  },
};

/** Only what lies as it was stored can be given other dims. */
function reshaped(before: ConstantRef, shape: readonly number[] | undefined): ConstantRef | undefined {
  if (!shape || before.transposed) return undefined;
  const total = before.dims.reduce((a, b) => a * b, 1);
  const copied = shape.map((dim, axis) => (dim === 0 ? (before.dims[axis] ?? 0) : dim));
  const known = copied.filter((dim) => dim >= 0).reduce((a, b) => a * b, 1);
  const dims = copied.map((dim) => (dim < 0 ? total / known : dim));
  return dims.every(Number.isInteger) && dims.reduce((a, b) => a * b, 1) === total ? { ...before, dims } : undefined;
}

const axesOf = (node: Node): readonly number[] | undefined => node.ints('axes') ?? integersOf(node.inputs[1]);

/** The numbers of a small constant int64 tensor. */
export function integersOf(value: Value | undefined): readonly number[] | undefined {
  const tensor = value && storedTensor(value);
  if (!tensor || tensor.elementCount > 64) return undefined;
  if (tensor.elementType !== 'int64' && tensor.elementType !== 'int32') return undefined;
  const bytes = tensor.bytes().slice();
  return tensor.elementType === 'int64'
    ? Array.from(new BigInt64Array(bytes.buffer), Number)
    : Array.from(new Int32Array(bytes.buffer));
}
