import type { Dim, Shape, ValueType } from '../../ir/index.ts';
import { formatType } from '../../ir/index.ts';
import { Contradiction } from './contradiction.ts';

type TensorLike = Extract<ValueType, { kind: 'tensor' | 'sparse' }>;

export const isTensorLike = (type: ValueType | undefined): type is TensorLike =>
  type?.kind === 'tensor' || type?.kind === 'sparse';

/** Prefers the symbol that the model declares; a number says more than any symbol. */
const mergeDim = (declared: Dim, inferred: Dim): Dim =>
  declared === null || typeof inferred === 'number' ? inferred : declared;

/**
 * What is declared, completed by what is inferred.
 * @throws Contradiction where both cannot be true
 * @source onnx/shape_inference/implementation.cc, mergeShapesAndTypes
 */
export function mergeTypes(declared: ValueType, inferred: ValueType): ValueType {
  if (isTensorLike(declared) && isTensorLike(inferred) && declared.kind === inferred.kind) {
    return mergeTensors(declared, inferred);
  }
  if (declared.kind === 'sequence' && inferred.kind === 'sequence') {
    return { kind: 'sequence', element: mergeElements(declared.element, inferred.element) };
  }
  if (declared.kind === 'optional' && inferred.kind === 'optional') {
    return { kind: 'optional', element: mergeElements(declared.element, inferred.element) };
  }
  if (declared.kind === 'map' && inferred.kind === 'map') return mergeMaps(declared, inferred);
  if (declared.kind === 'opaque' && inferred.kind === 'opaque') return declared;
  throw disagreement(declared, inferred);
}

function mergeMaps(declared: ValueType & { kind: 'map' }, inferred: ValueType & { kind: 'map' }): ValueType {
  if (declared.key && inferred.key && declared.key !== inferred.key) throw disagreement(declared, inferred);
  return { kind: 'map', key: declared.key ?? inferred.key, value: mergeElements(declared.value, inferred.value) };
}

const mergeElements = (declared: ValueType | undefined, inferred: ValueType | undefined): ValueType | undefined =>
  declared && inferred ? mergeTypes(declared, inferred) : (declared ?? inferred);

function mergeTensors(declared: TensorLike, inferred: TensorLike): ValueType {
  if (declared.elementType && inferred.elementType && declared.elementType !== inferred.elementType) {
    throw disagreement(declared, inferred);
  }
  const shape = mergeShapes(declared, inferred);
  return { kind: declared.kind, elementType: declared.elementType ?? inferred.elementType, shape };
}

function mergeShapes(declared: TensorLike, inferred: TensorLike): Shape | undefined {
  if (!declared.shape || !inferred.shape) return declared.shape ?? inferred.shape;
  if (declared.shape.length !== inferred.shape.length) throw disagreement(declared, inferred);
  return declared.shape.map((dim, axis) => {
    const other = inferred.shape?.[axis] as Dim;
    if (typeof dim === 'number' && typeof other === 'number' && dim !== other) throw disagreement(declared, inferred);
    return mergeDim(dim, other);
  });
}

const disagreement = (declared: ValueType, inferred: ValueType): Contradiction =>
  new Contradiction(`declared ${formatType(declared)}, but it is ${formatType(inferred)}`);

/**
 * What holds for both: the type of a value that comes from one of two branches.
 * @throws Contradiction where they differ in kind or element type
 * @source onnx/defs/shape_inference.cc, UnionTypeInfo
 */
export function uniteTypes(target: ValueType, source: ValueType): ValueType {
  if (isTensorLike(target) && isTensorLike(source) && target.kind === source.kind) {
    if (target.elementType !== source.elementType) throw branches(target, source);
    return { ...target, shape: uniteShapes(target.shape, source.shape) };
  }
  if (target.kind === 'sequence' && source.kind === 'sequence') {
    return { kind: 'sequence', element: uniteElements(target, source) };
  }
  if (target.kind === 'optional' && source.kind === 'optional') {
    return { kind: 'optional', element: uniteElements(target, source) };
  }
  if (target.kind !== source.kind) throw branches(target, source);
  return target;
}

type Container = Extract<ValueType, { kind: 'sequence' | 'optional' }>;

function uniteElements(target: Container, source: Container): ValueType {
  if (!target.element || !source.element) throw branches(target, source);
  return uniteTypes(target.element, source.element);
}

export function uniteShapes(target: Shape | undefined, source: Shape | undefined): Shape | undefined {
  if (!target || !source || target.length !== source.length) return undefined;
  return target.map((dim, axis) => (dim === source[axis] ? dim : null));
}

const branches = (target: ValueType, source: ValueType): Contradiction =>
  new Contradiction(`${formatType(target)} and ${formatType(source)} cannot be the same value`);

/** A copy with `change` applied to every shape in it. */
export function mapShapes(type: ValueType, change: (shape: Shape | undefined) => Shape | undefined): ValueType {
  switch (type.kind) {
    case 'tensor':
    case 'sparse':
      return { ...type, shape: change(type.shape) };
    case 'sequence':
    case 'optional':
      return { ...type, element: type.element && mapShapes(type.element, change) };
    case 'map':
      return { ...type, value: type.value && mapShapes(type.value, change) };
    default:
      return type;
  }
}

/** Calls `visit` with every shape in a type. */
export function visitShapes(type: ValueType | undefined, visit: (shape: Shape) => void): void {
  if (type) {
    mapShapes(type, (shape) => {
      if (shape) visit(shape);
      return shape;
    });
  }
}
