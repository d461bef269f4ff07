import type { Runtime, SessionOptions } from '../backend/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { type Feeds, firstLine, type InputSizes, inputSizesOf, isRefusal, makeInputs } from '../pipeline/index.ts';
import type { BenchmarkFile } from './benchmark-models.ts';
import { loadModel } from './load-model.ts';

/** One model at one shape, with inputs that it takes. */
export interface ShapedInput {
  readonly file: BenchmarkFile;
  readonly batch: number | undefined;
  readonly sequence: number | undefined;
  /** Rows of a run, by which throughput counts. */
  readonly rows: number;
  readonly feeds: Feeds;
}

export interface InputOptions {
  readonly batches?: readonly number[] | undefined;
  readonly sequences?: readonly number[] | undefined;
  readonly seed: number;
  readonly runtime: Runtime;
  /** How the session is made that tries them. */
  readonly session: SessionOptions;
}

export interface PreparedModel {
  readonly bytes: number;
  readonly inputs: readonly ShapedInput[];
  /** Shapes that were asked for and that it does not have. */
  readonly warnings: readonly string[];
}

/** Numbers of tokens where none is asked for: the usual one, or fewer for models of few positions. */
const usualSequences = [128, 64, 32, 16];

/**
 * Inputs of a model at every shape that was asked for and that it takes: each is run once. Same seed, same inputs.
 * @throws E_MODEL_*, E_IO, and as `createSession` and `Session.time`, but for shapes that the model refuses
 */
export async function prepareInputs(file: BenchmarkFile, options: InputOptions): Promise<PreparedModel> {
  const { runtime, session: sessionOptions } = options;
  const loaded = await loadModel(file.path);
  try {
    const { shapes, warnings } = shapesOf(file.name, inputSizesOf(loaded.model), options);
    const session = await runtime.createSession({ path: file.path }, sessionOptions);
    try {
      const inputs: ShapedInput[] = [];
      for (const shape of shapes) {
        throwIfAborted(sessionOptions.signal);
        const taken = await takenInput(file, loaded.model, shape, options.seed, (feeds) => session.time(feeds, 1));
        if ('refusal' in taken) warnings.push(taken.refusal);
        else inputs.push(taken);
      }
      return { bytes: loaded.byteLength, inputs, warnings };
    } finally {
      await session.close();
    }
  } finally {
    loaded.close();
  }
}

interface ModelShape {
  readonly batch: number | undefined;
  /** In order of preference. */
  readonly sequences: readonly (number | undefined)[];
}

/** The shapes to run, and what of the wanted ones the model cannot have. */
function shapesOf(name: string, sizes: InputSizes, wanted: Pick<InputOptions, 'batches' | 'sequences'>) {
  const warnings: string[] = [];
  const chosen = (what: string, size: InputSizes['batch'], values: readonly number[] | undefined) => {
    if (size === 'any') return values;
    const others = values?.filter((value) => value !== size) ?? [];
    const why = size === undefined ? `has no ${what}` : `has a ${what} of ${size} that is fixed`;
    if (others.length > 0)
      warnings.push(`${name} ${why}: ${what} ${others.join(', ')} ${others.length > 1 ? 'were' : 'was'} left out`);
    return [size];
  };
  const batches = chosen('batch', sizes.batch, wanted.batches) ?? [1];
  const sequences = chosen('sequence', sizes.sequence, wanted.sequences)?.map((one) => [one]) ?? [usualSequences];
  const shapes: ModelShape[] = batches.flatMap((batch) => sequences.map((list) => ({ batch, sequences: list })));
  return { shapes, warnings };
}

/** The first of the shape's inputs that the model takes. */
async function takenInput(
  file: BenchmarkFile,
  model: Model,
  { batch, sequences }: ModelShape,
  seed: number,
  run: (feeds: Feeds) => Promise<unknown>,
): Promise<ShapedInput | { readonly refusal: string }> {
  let refusal: unknown;
  for (const sequence of sequences) {
    const sizes = new Map(
      Object.entries({ batch, sequence }).filter((entry): entry is [string, number] => entry[1] !== undefined),
    );
    const feeds = makeInputs(model, { seed, variant: 0, sizes });
    try {
      await run(feeds);
      return { file, batch, sequence, rows: batch ?? 1, feeds };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal ??= error;
    }
  }
  const shape = [batch === undefined ? [] : `batch ${batch}`, sequences[0] ? `sequence ${sequences[0]}` : []].flat();
  return {
    refusal: `${file.name} does not take ${shape.join(', ') || 'made-up inputs'}, left out: ${firstLine(refusal)}`,
  };
}

/** @throws E_DATA_MISMATCH when nothing is left to measure */
export function requireInputs(models: readonly PreparedModel[]): void {
  if (models.some(({ inputs }) => inputs.length > 0)) return;
  const warnings = models.flatMap((model) => model.warnings);
  throw new OptimumError('E_DATA_MISMATCH', `No model takes the shapes that were asked for: ${warnings.join('; ')}.`, {
    hint: 'Leave --batch and --sequence out to measure the shapes that the models have.',
  });
}
