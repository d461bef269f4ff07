import type { ElementType } from './element-type.ts';

/** One dimension: a size, a symbol that the model names, or `null` where nothing is known. */
export type Dim = number | string | null;
export type Shape = readonly Dim[];

export type ValueType =
  | { readonly kind: 'tensor'; readonly elementType?: ElementType | undefined; readonly shape?: Shape | undefined }
  | { readonly kind: 'sparse'; readonly elementType?: ElementType | undefined; readonly shape?: Shape | undefined }
  | { readonly kind: 'sequence'; readonly element?: ValueType | undefined }
  | { readonly kind: 'optional'; readonly element?: ValueType | undefined }
  | { readonly kind: 'map'; readonly key?: ElementType | undefined; readonly value?: ValueType | undefined }
  | { readonly kind: 'opaque' };

export const tensorType = (elementType?: ElementType, shape?: Shape): ValueType => ({
  kind: 'tensor',
  elementType,
  shape,
});

/** `float32[batch,128,?]`, or `?` where nothing is known. */
export function formatType(type: ValueType | undefined): string {
  if (!type) return '?';
  if (type.kind === 'tensor' || type.kind === 'sparse') {
    const dims = type.shape ? `[${type.shape.map((dim) => dim ?? '?').join(',')}]` : '';
    return `${type.kind === 'sparse' ? 'sparse ' : ''}${type.elementType ?? '?'}${dims}`;
  }
  if (type.kind === 'map') return `map(${type.key ?? '?'}, ${formatType(type.value)})`;
  if (type.kind === 'opaque') return 'opaque';
  return `${type.kind}(${formatType(type.element)})`;
}
