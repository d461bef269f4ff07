import type { OptimumError, TensorData } from '@optimum/core';
import { dataError, type Place } from '../data-error.ts';
import type { SessionInput } from '../session-inputs.ts';
import { castTensor, firstOutside, hasNaN } from './cast-tensor.ts';
import { isIntegerType } from './element-values.ts';
import type { ModelFiles } from './model-files.ts';
import { repeated } from './tensor.ts';
import { isTextInput, vocabularyOf } from './text-features.ts';

/**
 * A tensor as the model takes it: with its element type, and repeated where the model takes one batch size alone.
 * @param isOneSample false where the data give batches: those are taken as they are
 * @throws E_DATA_MISMATCH
 */
export function fitInput(
  tensor: TensorData,
  input: SessionInput,
  isOneSample: boolean,
  files: ModelFiles,
  place: Place,
): TensorData {
  const fail = (what: string, hint?: string): OptimumError =>
    dataError(place, `"${input.name}" ${what}`, { code: 'E_DATA_MISMATCH', hint, context: { input: input.name } });
  const cast = castTensor(tensor, input.elementType);
  if (typeof cast === 'string') throw fail(cast, castHint(tensor));
  const size = input.shape?.[0];
  const isRepeated = isOneSample && typeof size === 'number' && size > 1 && cast.dims[0] === 1;
  const fitted = isRepeated ? repeated(cast, size) : cast;
  const wrong = shapeProblem(fitted, input) ?? (hasNaN(fitted) ? 'holds NaN, expected numbers' : undefined);
  if (wrong) throw fail(wrong);
  const outside = outsideVocabulary(fitted, input, files);
  if (outside) throw fail(outside, 'Was the data made with the tokenizer of another model?');
  return fitted;
}

function outsideVocabulary(tensor: TensorData, { name }: SessionInput, files: ModelFiles): string | undefined {
  const size = vocabularyOf(name, files);
  if (size === undefined || !isIntegerType(tensor.elementType)) return undefined;
  const outside = firstOutside(tensor, 0n, BigInt(size) - 1n);
  return outside === undefined
    ? undefined
    : `holds ${outside}, but the model's config.json says: from 0 to ${size - 1}`;
}

const castHint = ({ elementType }: TensorData): string | undefined =>
  elementType === 'uint8' ? 'Levels of images are preprocessed when the tensor is called "images".' : undefined;

function shapeProblem({ dims }: TensorData, { name, shape }: SessionInput): string | undefined {
  const found = `has the dimensions [${dims.join(', ')}]`;
  if (shape && dims.length !== shape.length) return `${found}, expected ${shape.length} of them`;
  if (shape?.some((dim, axis) => typeof dim === 'number' && dim !== dims[axis]))
    return `${found}, expected [${shape.map((dim) => dim ?? '?').join(', ')}]`;
  // Caches begin empty.
  const mayBeEmpty = isTextInput(name) && name.startsWith('past');
  return dims.includes(0) && !mayBeEmpty && !shape?.includes(0) ? `${found}: it is empty` : undefined;
}
