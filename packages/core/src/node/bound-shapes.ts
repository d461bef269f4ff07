import { inferTypes } from '../analysis/index.ts';
import type { ShapeOf } from '../evaluate/index.ts';
import { type Model, tensorType, type Value } from '../ir/index.ts';
import { bindDimensions, bindShape, requiredInputs } from '../pipeline/index.ts';

/** Sizes that the user names; others are those of the made-up inputs. */
export interface ShapeSizes {
  readonly batch?: number | undefined;
  readonly sequence?: number | undefined;
}

/** Tokens by which int8 Transformers are usually compared. */
const usualSequence = 128;

/**
 * The shapes that follow from the graph alone when its inputs have certain sizes; `undefined` where they do not follow. The
 * model is as before afterwards.
 */
export function boundShapes(model: Model, { batch, sequence = usualSequence }: ShapeSizes): ShapeOf {
  const inputs = requiredInputs(model);
  const sizes = new Map([['sequence', sequence], ...(batch === undefined ? [] : [['batch', batch] as const])]);
  const signature = inputs.map(({ name, shape }) => ({ name: name ?? '', shape }));
  const bindings = bindDimensions(signature, 0, sizes);
  const before = inputs.map(({ type }) => type);
  for (const input of inputs) {
    if (input.shape) input.type = tensorType(input.elementType, bindShape(input.name ?? '', input.shape, bindings));
  }
  model.graph.touch();
  try {
    const inferred = inferTypes(model);
    return (value: Value) => concrete(inferred.typeOf(value));
  } finally {
    inputs.forEach((input, index) => {
      input.type = before[index];
    });
    model.graph.touch();
  }
}

function concrete(type: ReturnType<ReturnType<typeof inferTypes>['typeOf']>): readonly number[] | undefined {
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  const dims = shape?.filter((dim): dim is number => typeof dim === 'number');
  return dims?.length === shape?.length ? dims : undefined;
}
