import type { Dim, Shape } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { allInputs, type OutputTypes, shaped, shapesOf } from '../rule.ts';

interface Labels {
  /** Dimension of each letter, where it was met first. */
  readonly dims: Map<string, Dim>;
  readonly repeated: Set<string>;
  /** What `...` stands for. */
  ellipsis: Dim[] | undefined;
}

/** @source onnx/defs/math/utils.cc, einsumShapeInference */
export function einsum(op: OperatorContext): OutputTypes {
  const equation = op.string('equation', '').replaceAll(' ', '');
  const shapes = shapesOf(op, allInputs(op));
  if (equation === '' || !shapes || shapes.length === 0) return shaped(op, undefined);
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  if (terms.length !== shapes.length) op.fail(`${equation} does not name ${shapes.length} inputs`);
  const labels: Labels = { dims: new Map(), repeated: new Set(), ellipsis: undefined };
  terms.forEach((term, index) => readTerm(op, term, shapes[index] as Shape, labels));
  return shaped(op, right === undefined ? implicitOutput(labels) : explicitOutput(op, right, labels));
}

function readTerm(op: OperatorContext, term: string, shape: Shape, labels: Labels): void {
  const [before = '', after] = term.split('...');
  const named = before.length + (after?.length ?? 0);
  const hidden = shape.length - named;
  if (after === undefined ? hidden !== 0 : hidden < 0) op.fail(`${term} does not fit rank ${shape.length}`);
  if (after !== undefined) readEllipsis(op, shape.slice(before.length, before.length + hidden), labels);
  const dims = after === undefined ? shape : [...shape.slice(0, before.length), ...shape.slice(before.length + hidden)];
  [...before, ...(after ?? '')].forEach((letter, axis) => {
    if (labels.dims.has(letter)) labels.repeated.add(letter);
    else labels.dims.set(letter, dims[axis] as Dim);
  });
}

function readEllipsis(op: OperatorContext, dims: readonly Dim[], labels: Labels): void {
  if (labels.ellipsis && labels.ellipsis.length !== dims.length) op.fail('... stands for different ranks');
  labels.ellipsis = labels.ellipsis
    ? labels.ellipsis.map((known, axis) =>
        known === 1 && typeof dims[axis] === 'number' ? (dims[axis] as Dim) : known,
      )
    : [...dims];
}

/** Without `->`: the dimensions of `...`, then every letter that is there once, in alphabetical order. */
function implicitOutput({ dims, repeated, ellipsis }: Labels): Dim[] {
  const letters = [...dims.keys()].filter((letter) => !repeated.has(letter)).sort();
  return [...(ellipsis ?? []), ...letters.map((letter) => dims.get(letter) as Dim)];
}

function explicitOutput(op: OperatorContext, right: string, { dims, ellipsis }: Labels): Dim[] {
  const [before = '', after] = right.split('...');
  const read = (letters: string): Dim[] =>
    [...letters].map((letter) => {
      const dim = dims.get(letter);
      return dim === undefined ? op.fail(`${letter} is in no input`) : dim;
    });
  return after === undefined ? read(before) : [...read(before), ...(ellipsis ?? []), ...read(after)];
}
