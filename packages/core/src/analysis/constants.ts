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

/** Operators between data and reader past which nobody looks: hostile files chain them by the thousand. */
const longestPath = 1000;

/**
 * The one door to weights. Follows Identity, Cast between floats, Transpose of a matrix, and Reshape, Squeeze,
 * Unsqueeze and Flatten with constant shape, back to stored data of this graph or of one around it. No payload is read
 * but that of small shape tensors. `undefined` when the value depends on an input, or its layout is not a plain one.
 */
export function constantOf(value: Value): ConstantRef | undefined {
  const back: Node[] = [];
  let root = value;
  for (let tensor = storedTensor(root); !tensor; tensor = storedTensor(root)) {
    const node = root.producer;
    const source = node?.inputs[0];
    if (!node || !source || !isCarrier(node) || back.length === longestPath) return undefined;
    back.push(node);
    root = source;
  }
  const path = back.reverse();
  return carried(root, path);
}

const isCarrier = ({ op, domain }: Node): boolean => domain === '' && Object.hasOwn(steps, op);

/** What the data of `root` is once it has gone along the path. */
function carried(root: Value, path: readonly Node[]): ConstantRef | undefined {
  const tensor = storedTensor(root) as Tensor;
  let layout: Layout = { tensor, root, elementType: tensor.elementType, dims: tensor.dims, transposed: false };
  for (const node of path) {
    const next = steps[node.op]?.(node, layout);
    if (!next) return undefined;
    layout = next;
  }
  return { ...layout, path };
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

type Layout = Omit<ConstantRef, 'path'>;
type Step = (node: Node, before: Layout) => Layout | undefined;

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
function reshaped(before: Layout, shape: readonly number[] | undefined): Layout | undefined {
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
  // Not slice(): a Buffer's slice is a view, whose memory starts elsewhere.
  const bytes = new Uint8Array(tensor.bytes());
  return tensor.elementType === 'int64'
    ? Array.from(new BigInt64Array(bytes.buffer), Number)
    : Array.from(new Int32Array(bytes.buffer));
}
