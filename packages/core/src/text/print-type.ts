import type { Dim, ElementType, Shape, ValueType } from '../ir/index.ts';
import { printName } from './names.ts';

export function printElementType(type: ElementType | undefined): string {
  if (type === 'float32') return 'float';
  return type === 'float64' ? 'double' : (type ?? 'undefined');
}

/**
 * A type in the official syntax: `float` is a scalar, `float[]` has no known rank. Two things that files hold and the
 * official syntax cannot say are spelled `undefined` (element type) and `?` (type inside a container).
 */
export function printType(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
      return `${printElementType(type.elementType)}${printShape(type.shape)}`;
    case 'sparse':
      return `sparse_tensor(${printElementType(type.elementType)}${printShape(type.shape)})`;
    case 'sequence':
      return `seq(${printElement(type.element)})`;
    case 'optional':
      return `optional(${printElement(type.element)})`;
    case 'map':
      return `map(${printElementType(type.key)}, ${printElement(type.value)})`;
    case 'opaque':
      return 'opaque()';
  }
}

const printElement = (type: ValueType | undefined): string => (type ? printType(type) : '?');

function printShape(shape: Shape | undefined): string {
  if (!shape) return '[]';
  return shape.length === 0 ? '' : `[${shape.map(printDim).join(',')}]`;
}

function printDim(dim: Dim): string {
  if (dim === null) return '?';
  return typeof dim === 'number' ? String(dim) : printName(dim);
}
