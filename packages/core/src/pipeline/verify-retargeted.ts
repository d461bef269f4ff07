import type { SessionOptions } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import type { IdenticalUpTo } from '../quantize/index.ts';
import { type IntegerCheck, nothingChecked } from './check-integers.ts';
import { checkKernels, type KernelCheck } from './check-kernels.ts';
import { type CaseResult, compareCases, type Feeds } from './compare-cases.ts';
import type { OutputDifference } from './compare-outputs.ts';
import { type IdentityCheck, requireIdentical } from './identical-outputs.ts';
import type { SpeedComparison } from './measure-speed.ts';
import { exactKernels, openExact } from './open-exact.ts';
import { checkIntegers, openSessions, timeBoth, type VerifyRequest, worstOf } from './verify.ts';

/** `original` is the model that was given, `quantized` what became of it. */
export interface RetargetVerifyRequest extends Omit<VerifyRequest, 'kernels' | 'exactKernelPath'> {
  readonly originalModel: Model;
  /** Where the runtime may write its optimized graph of the original. */
  readonly optimizedOriginalPath: string;
  /** Up to which optimization level outputs must be equal byte by byte; `undefined` where they cannot be. */
  readonly identicalUpTo: IdenticalUpTo | undefined;
  /** True where this machine's kernels saturate: outputs are then compared on its exact ones. */
  readonly saturatesHere: boolean;
  /** True where the target's own kernels, which may saturate, are those of this machine. */
  readonly provesOwnKernels: boolean;
  /** Products that may saturate and could not be helped: they are not held against the result. */
  readonly maySaturate: boolean;
}

export interface RetargetVerifyReport {
  /** Integer kernels in the graphs that the runtime makes of both. */
  readonly kernels: {
    readonly before: Readonly<Record<string, number>>;
    readonly after: Readonly<Record<string, number>>;
  };
  readonly integers: IntegerCheck;
  /** Present where the integers only moved to another type. */
  readonly identity?: IdentityCheck | undefined;
  readonly cases: readonly CaseResult[];
  readonly outputs: readonly OutputDifference[];
  /** Against the model that was given: largest relative error and smallest cosine over the outputs. */
  readonly relativeError: number;
  readonly cosine: number;
  readonly speed?: SpeedComparison | undefined;
  readonly notChecked: readonly string[];
}

/** Inputs on which outputs are compared byte by byte, at each level. */
const identityCases = 2;

/**
 * Proves a retargeted model against the one that it was made from: it loads, none of its integer kernels is lost, its
 * integer products are exact, its outputs are the same, or near; then times both.
 * @throws E_VERIFY_LOAD, E_VERIFY_KERNELS, E_VERIFY_NUMERIC and the runtime's own errors
 */
export async function verifyRetargeted(request: RetargetVerifyRequest): Promise<RetargetVerifyReport> {
  const notChecked: string[] = [];
  const options = optionsOf(request, {});
  const open = openSessions(request.runtime);
  try {
    const { original, optimizedOriginalPath, optimizedModelPath } = request;
    const before = await open(original, { ...options, optimizedModelPath: optimizedOriginalPath });
    const after = await open(request.quantized, { ...options, optimizedModelPath });
    const kernels = compareKernels(request);
    const [reference, subject] = request.saturatesHere
      ? [await openExact(open, original, options), await openExact(open, request.quantized, options)]
      : [before, after];
    const compared = await compareCases(request, reference, subject, notChecked);
    const integers = await integersOf(request, open, compared.judged, notChecked);
    const identity = await identityOf(request, compared.ran, notChecked);
    const speed = await timeBoth(asVerifyRequest(request), before, after, compared.ran, notChecked);
    const { results: cases, outputs } = compared;
    return { kernels, integers, identity, cases, outputs, ...worstOf(outputs), speed, notChecked };
  } finally {
    await open.closeAll();
  }
}

function optionsOf(request: RetargetVerifyRequest, config: Readonly<Record<string, string>>): SessionOptions {
  return {
    threads: request.threads,
    config: { ...request.session, ...config },
    ...(request.from && { from: request.from }),
    ...(request.signal && { signal: request.signal }),
  };
}

const asVerifyRequest = (request: RetargetVerifyRequest): VerifyRequest => ({
  ...request,
  kernels: [],
  exactKernelPath: request.saturatesHere && !request.provesOwnKernels,
});

/** @throws E_VERIFY_KERNELS when the runtime finds fewer integer kernels in the result than it found before */
function compareKernels(request: RetargetVerifyRequest): RetargetVerifyReport['kernels'] {
  const { readModel, originalModel, tapped, name } = request;
  const before = checkKernels(originalModel, readModel(request.optimizedOriginalPath), []);
  const after = checkKernels(tapped.model, readModel(request.optimizedModelPath), []);
  if (lossOf(after) > lossOf(before)) {
    throw new OptimumError(
      'E_VERIFY_KERNELS',
      `${name}: the runtime makes integer kernels of ${countOf(after)} operators of the retargeted model, and of ${countOf(before)} of the one that was given.`,
      { context: { before, after }, hint: 'Nothing was published: the model is best left as it is.' },
    );
  }
  return { before: before.found, after: after.found };
}

/** Operators that were meant to be integer and are not. */
const lossOf = ({ missing, stayedFloat, dequantizedEveryRun }: KernelCheck): number =>
  missing.reduce((sum, { expected, found }) => sum + expected - found, 0) +
  stayedFloat.length +
  dequantizedEveryRun.length;

const countOf = ({ found }: KernelCheck): number => Object.values(found).reduce((sum, count) => sum + count, 0);

async function integersOf(
  request: RetargetVerifyRequest,
  open: ReturnType<typeof openSessions>,
  judged: readonly Feeds[],
  notChecked: string[],
): Promise<IntegerCheck> {
  const asked = asVerifyRequest(request);
  const options = optionsOf(request, asked.exactKernelPath ? exactKernels : {});
  try {
    return await checkIntegers(asked, open, options, judged, notChecked);
  } catch (error) {
    if (!request.maySaturate || !OptimumError.isInstance(error) || error.code !== 'E_VERIFY_NUMERIC') throw error;
    notChecked.push(error.message);
    return nothingChecked;
  }
}

async function identityOf(
  request: RetargetVerifyRequest,
  ran: readonly Feeds[],
  notChecked: string[],
): Promise<IdentityCheck | undefined> {
  const { identicalUpTo: requiredUpTo } = request;
  if (!requiredUpTo) return undefined;
  if (ran.length === 0) {
    notChecked.push('that outputs are identical: the model takes none of the inputs');
    return undefined;
  }
  const { quantized: changed } = request;
  const feeds = ran.slice(0, identityCases);
  return requireIdentical({ ...request, changed, options: optionsOf(request, {}), feeds, requiredUpTo });
}
