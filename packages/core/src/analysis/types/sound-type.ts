import type { Dim, ValueType } from '../../ir/index.ts';
import { isTensorLike, mapShapes } from './merge-types.ts';

/** Sequences of optionals of sequences … past this are what no runtime takes. */
const maxNesting = 8;

/** What the reader takes at most; operators could let ranks grow without end. */
const maxRank = 64;

/** The type if it says anything. Impossible sizes are taken out of it, unless it `keepsSizes`. */
export function soundType(type: ValueType | undefined, keepsSizes = false): ValueType | undefined {
  if (!type || !isShallow(type)) return undefined;
  if (isTensorLike(type) && (type.shape?.length ?? 0) > maxRank) return soundType({ ...type, shape: undefined });
  if (isTensorLike(type) && !type.elementType && !type.shape) return undefined;
  return keepsSizes ? type : withSoundSizes(type);
}

function isShallow(type: ValueType): boolean {
  let element: ValueType | undefined = type;
  for (let depth = 0; depth < maxNesting; depth++) {
    if (element?.kind !== 'sequence' && element?.kind !== 'optional') return true;
    element = element.element;
  }
  return false;
}

/** Sizes below 0, or too large to be one, are not known. */
export const withSoundSizes = (type: ValueType): ValueType =>
  mapShapes(type, (shape) =>
    shape?.every(isSound) === false ? shape.map((dim) => (isSound(dim) ? dim : null)) : shape,
  );

const isSound = (dim: Dim): boolean => typeof dim !== 'number' || (Number.isSafeInteger(dim) && dim >= 0);
