import type { Session, TensorData } from '../backend/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import { addSums, compareOutputs, differenceOf, type OutputDifference, type OutputSums } from './compare-outputs.ts';

/**
 * Bounds of the numeric verdict, on every output over all cases, and on each case where it has elements enough. They
 * catch what is broken: over the zoo (docs/benchmarks.md) the largest error that passes is 0.16, 0.40 with planted
 * outliers, and models whose answers 8 bits ruin lie above.
 */
export const numericBounds = { relativeError: 0.6, cosine: 0.8 } as const;

/** An output is judged on at least so many elements: one number near zero says nothing about relative error. */
const judgedElements = 32;

export type Feeds = Readonly<Record<string, TensorData>>;

/** Inputs to compare on, with where they come from. */
export interface Case {
  readonly label: string;
  /**
   * Made when their turn comes, in order, until the original takes one: it may have a table of few positions, say, or
   * one batch size.
   */
  readonly attempts: readonly (() => Feeds)[];
}

export interface CaseResult {
  readonly label: string;
  readonly outputs: readonly OutputDifference[];
}

/** What a comparison needs of a verification. */
export interface CompareRequest {
  readonly name: string;
  readonly cases: readonly Case[];
  /** Further cases, run while some output has too few elements to be judged. */
  readonly moreCases: readonly Case[];
  readonly signal?: AbortSignal | undefined;
}

/** Runs every case through both. A case that the original itself refuses says nothing about the new model. */
export async function compareCases(
  request: CompareRequest,
  original: Session,
  quantized: Session,
  notChecked: string[],
) {
  const results: CaseResult[] = [];
  const ran: Feeds[] = [];
  const pooled = new Map<string, OutputSums>();
  const isJudged = (): boolean => [...pooled.values()].every(({ elements }) => elements >= judgedElements);
  const compare = async (subject: Case): Promise<void> => {
    throwIfAborted(request.signal);
    const run = await runOriginal(subject, original, notChecked);
    if (!run) return;
    ran.push(run.feeds);
    const sums = compareOutputs(run.outputs, await quantized.run(run.feeds));
    results.push({ label: subject.label, outputs: [...sums].map(([name, sum]) => differenceOf(name, sum)) });
    for (const [name, sum] of sums) {
      const before = pooled.get(name);
      pooled.set(name, before ? addSums(before, sum) : sum);
    }
  };
  for (const subject of request.cases) await compare(subject);
  for (const subject of request.moreCases) if (ran.length > 0 && !isJudged()) await compare(subject);
  const outputs = [...pooled].map(([name, sum]) => differenceOf(name, sum));
  for (const { label, outputs: own } of results)
    requireNear(
      request.name,
      label,
      own.filter(({ elements, nonFinite }) => elements >= judgedElements || nonFinite > 0),
    );
  requireNear(request.name, `${ran.length} inputs`, outputs);
  return { results, ran, outputs };
}

/** The original's outputs on the first attempt that it takes; `undefined` when it refuses all. */
async function runOriginal({ label, attempts }: Case, original: Session, notChecked: string[]) {
  let refusal: unknown;
  for (const make of attempts) {
    const feeds = make();
    try {
      return { feeds, outputs: await original.run(feeds) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal ??= error;
    }
  }
  notChecked.push(`outputs on ${label}: the original model refuses them (${firstLine(refusal)}); give --data`);
  return undefined;
}

/** The model does not take such inputs: not a fault of the runtime, and no wish to stop. */
export const isRefusal = (error: unknown): boolean =>
  OptimumError.isInstance(error) && error.code === 'E_DATA_MISMATCH';

/** @throws E_VERIFY_NUMERIC when an output is too far from the original's */
function requireNear(model: string, label: string, outputs: readonly OutputDifference[]): void {
  const bad = outputs.find(
    (output) =>
      output.nonFinite > 0 ||
      output.relativeError > numericBounds.relativeError ||
      output.cosine < numericBounds.cosine,
  );
  if (!bad) return;
  throw new OptimumError(
    'E_VERIFY_NUMERIC',
    `${model}: output "${bad.name}" on ${label} has relative error ${bad.relativeError.toPrecision(3)} and cosine ` +
      `${bad.cosine.toPrecision(4)} against the original (bounds ${numericBounds.relativeError} and ${numericBounds.cosine}` +
      `${bad.nonFinite ? `; ${bad.nonFinite} elements are not finite` : ''}).`,
    {
      context: { ...bad, label, bounds: numericBounds },
      hint: 'Nothing was published. Some operators cannot take 8 bits here: --exclude them, or compare on real inputs with --data.',
    },
  );
}

export const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] as string;
