import { byteLengthOf, type Signature, type TensorData } from '@optimum/core';
import { mismatch } from './session-errors.ts';

type Feeds = Readonly<Record<string, TensorData>>;

/**
 * Checks inputs before they cross to the runtime, whose own messages do not name them and which trusts some lengths.
 * @throws E_DATA_MISMATCH naming the input, what was expected and what came
 */
export function checkFeeds(model: string, inputs: readonly Signature[], feeds: Feeds): void {
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(feeds).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw mismatch(model, unknown, `the model has no such input (it has ${names.join(', ') || 'none'})`);
  for (const input of inputs) {
    const feed = feeds[input.name];
    const problem = feed ? problemOf(input, feed) : 'it is missing';
    if (problem) throw mismatch(model, input.name, problem);
  }
}

function problemOf({ elementType, shape }: Signature, feed: TensorData): string | undefined {
  const got = `[${feed.dims.join(', ')}]`;
  if (elementType === undefined) return 'it is no tensor, and only tensors can be given';
  if (feed.elementType !== elementType) return `expected ${elementType}, got ${feed.elementType}`;
  if (feed.dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) return `dimensions ${got} are no sizes`;
  if (shape && shape.length !== feed.dims.length) return `expected ${shape.length} dimensions, got ${got}`;
  const wrong = shape?.findIndex((dim, axis) => typeof dim === 'number' && dim !== feed.dims[axis]) ?? -1;
  if (wrong >= 0) return `expected ${shape?.[wrong]} at dimension ${wrong}, got ${got}`;
  return lengthProblem(feed);
}

function lengthProblem({ elementType, dims, bytes, strings }: TensorData): string | undefined {
  const shown = `${elementType}[${dims.join(', ')}]`;
  if (elementType === 'string') {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const given = strings?.length ?? 0;
    return given === count ? undefined : `${shown} needs ${count} strings, got ${given}`;
  }
  const expected = byteLengthOf(elementType, dims);
  return bytes.byteLength === expected ? undefined : `${shown} needs ${expected} bytes, got ${bytes.byteLength}`;
}
