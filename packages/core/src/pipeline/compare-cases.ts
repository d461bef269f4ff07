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
  /** True for the user's own data, false for inputs that were made up. @defaultValue false */
  readonly isGiven?: boolean;
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
  /**
   * `given`: outputs are judged on given cases alone when the original takes any; the others only have to run and stay
   * finite. Ranges from calibration cut off what made-up inputs show. @defaultValue 'all'
   */
  readonly judgeBy?: 'all' | 'given' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came of running every case through both. */
export interface Comparison {
  readonly results: readonly CaseResult[];
  /** Inputs that the original takes, and those of them by which the model is judged. */
  readonly ran: readonly Feeds[];
  readonly judged: readonly Feeds[];
  /** Every output, over the judged cases together. */
  readonly outputs: readonly OutputDifference[];
}

interface ComparedCase {
  readonly result: CaseResult;
  readonly feeds: Feeds;
  readonly sums: ReadonlyMap<string, OutputSums>;
  readonly isGiven: boolean;
}

/**
 * Runs every case through both. A case that the original itself refuses says nothing about the new model.
 * @throws E_VERIFY_NUMERIC when an output of a judged case is too far from the original's, or of any case not finite
 */
export async function compareCases(
  request: CompareRequest,
  original: Session,
  quantized: Session,
  notChecked: string[],
): Promise<Comparison> {
  const compared: ComparedCase[] = [];
  const compare = async (subject: Case): Promise<void> => {
    throwIfAborted(request.signal);
    const run = await runOriginal(subject, original, notChecked);
    if (!run) return;
    const sums = compareOutputs(run.outputs, await quantized.run(run.feeds));
    const outputs = [...sums].map(([name, sum]) => differenceOf(name, sum));
    const result = { label: subject.label, outputs };
    compared.push({ result, feeds: run.feeds, sums, isGiven: subject.isGiven === true });
  };
  for (const subject of request.cases) await compare(subject);
  for (const subject of request.moreCases) {
    const judged = judgedOf(request, compared);
    if (judged.length > 0 && !isEnough(judged) && isWanted(subject, request, judged)) await compare(subject);
  }
  const judged = judgedOf(request, compared);
  const outputs = [...poolSums(judged)].map(([name, sum]) => differenceOf(name, sum));
  for (const one of compared) requireCase(request.name, one, judged.includes(one));
  requireNear(request.name, `${judged.length} inputs`, outputs);
  const feedsOf = (cases: readonly ComparedCase[]): Feeds[] => cases.map(({ feeds }) => feeds);
  return { results: compared.map(({ result }) => result), ran: feedsOf(compared), judged: feedsOf(judged), outputs };
}

/** The given cases where these are to be judged by and there are some, else all. */
function judgedOf({ judgeBy }: CompareRequest, compared: readonly ComparedCase[]): readonly ComparedCase[] {
  const given = judgeBy === 'given' ? compared.filter(({ isGiven }) => isGiven) : [];
  return given.length > 0 ? given : compared;
}

/** Made-up inputs add nothing to a verdict on given ones. */
const isWanted = ({ isGiven }: Case, { judgeBy }: CompareRequest, judged: readonly ComparedCase[]): boolean =>
  isGiven === true || judgeBy !== 'given' || !judged.every((one) => one.isGiven);

const isEnough = (judged: readonly ComparedCase[]): boolean =>
  [...poolSums(judged).values()].every(({ elements }) => elements >= judgedElements);

/** Sums over cases, by output. */
function poolSums(cases: readonly ComparedCase[]): Map<string, OutputSums> {
  const pooled = new Map<string, OutputSums>();
  for (const { sums } of cases) {
    for (const [name, sum] of sums) {
      const before = pooled.get(name);
      pooled.set(name, before ? addSums(before, sum) : sum);
    }
  }
  return pooled;
}

function requireCase(model: string, { result: { label, outputs } }: ComparedCase, isJudged: boolean): void {
  const judged = outputs.filter(({ elements, nonFinite }) => (isJudged && elements >= judgedElements) || nonFinite > 0);
  requireNear(model, label, judged);
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
