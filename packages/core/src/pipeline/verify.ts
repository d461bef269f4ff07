import type { Runtime, Session, SessionOptions } from '../backend/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { type IntegerCheck, nothingChecked, runIntegerCheck, sumChecks, tapIntegerProducts } from './check-integers.ts';
import { checkKernels, type KernelCheck, requireKernels } from './check-kernels.ts';
import {
  type Case,
  type CaseResult,
  type CompareRequest,
  compareCases,
  type Feeds,
  firstLine,
  isRefusal,
} from './compare-cases.ts';
import type { OutputDifference } from './compare-outputs.ts';
import { hasProductsBetweenIntegers } from './integer-units.ts';
import { measureSpeed, type SpeedComparison } from './measure-speed.ts';

/** Exactness is checked on so many of the cases that ran; each multiplies every matrix once in float64. */
const exactCases = 4;

/** What verification needs; files and processes stay behind functions, so that this stage runs anywhere. */
export interface VerifyRequest extends CompareRequest {
  readonly runtime: Runtime;
  readonly original: { readonly path: string };
  readonly quantized: { readonly path: string };
  /** Where the runtime may write its optimized graph (and others beside it), and how to read such a file. */
  readonly optimizedModelPath: string;
  readonly readModel: (path: string) => Model;
  /** The quantized model read again, to be tapped, and how to make session bytes of it. */
  readonly tapped: { readonly model: Model; readonly serialize: (model: Model) => Uint8Array; readonly folder: string };
  /** Kernels that the plan's capabilities promise. */
  readonly kernels: readonly string[];
  /** Inputs for timing, or why speed is not measured. */
  readonly timing: Case | { readonly notMeasured: string };
  /** Threads of the sessions that are compared and timed. */
  readonly threads: number;
  /** Folder whose packages provide the runtime. */
  readonly from?: string | undefined;
  readonly session: Readonly<Record<string, string>>;
  /** True where this machine's own kernels would saturate what the target's do not. */
  readonly exactKernelPath: boolean;
}

export interface VerifyReport {
  readonly kernels: KernelCheck;
  readonly integers: IntegerCheck;
  readonly cases: readonly CaseResult[];
  /** Every output, over all cases together. */
  readonly outputs: readonly OutputDifference[];
  readonly speed?: SpeedComparison | undefined;
  /** Largest relative error and smallest cosine over the outputs. */
  readonly relativeError: number;
  readonly cosine: number;
  /** What could not be checked here, and why. */
  readonly notChecked: readonly string[];
}

/**
 * Proves a written model on its runtime: it loads, its integer kernels are there and exact, its outputs are those of
 * the original within `numericBounds`; then times both.
 * @throws E_VERIFY_LOAD, E_VERIFY_KERNELS, E_VERIFY_NUMERIC and the runtime's own errors
 */
export async function verifyModel(request: VerifyRequest): Promise<VerifyReport> {
  const notChecked: string[] = [];
  const config = { ...request.session, ...(request.exactKernelPath && { 'session.x64quantprecision': '1' }) };
  const options: SessionOptions = {
    threads: request.threads,
    config,
    ...(request.from && { from: request.from }),
    ...(request.signal && { signal: request.signal }),
  };
  const open = openSessions(request.runtime);
  try {
    const quantized = await open(request.quantized, { ...options, optimizedModelPath: request.optimizedModelPath });
    const optimized = request.readModel(request.optimizedModelPath);
    const kernels = checkKernels(request.tapped.model, optimized, request.kernels);
    requireKernels(kernels, request.name);
    const original = await open(request.original, options);
    const compared = await compareCases(request, original, quantized, notChecked);
    const integers = await checkIntegers(request, open, options, compared.judged, notChecked);
    const speed = await timeBoth(request, original, quantized, compared.ran, notChecked);
    const { results: cases, outputs } = compared;
    return { kernels, integers, cases, outputs, speed, ...worstOf(outputs), notChecked };
  } finally {
    await open.closeAll();
  }
}

export type OpenSession = ((...parameters: Parameters<Runtime['createSession']>) => Promise<Session>) & {
  closeAll(): Promise<void>;
};

export function openSessions(runtime: Runtime): OpenSession {
  const sessions: Session[] = [];
  const open = async (...parameters: Parameters<Runtime['createSession']>): Promise<Session> => {
    const session = await runtime.createSession(...parameters);
    sessions.push(session);
    return session;
  };
  return Object.assign(open, { closeAll: async () => void (await Promise.allSettled(sessions.map((s) => s.close()))) });
}

/** Every integer product of the quantized model against exact arithmetic. @throws E_VERIFY_NUMERIC when one differs */
export async function checkIntegers(
  request: VerifyRequest,
  open: OpenSession,
  options: SessionOptions,
  ran: readonly Feeds[],
  notChecked: string[],
): Promise<IntegerCheck> {
  if (ran.length === 0) return nothingChecked;
  const { model, folder } = await modelWithIntegers(request, open, options);
  const { taps, notTapped } = tapIntegerProducts(model);
  if (notTapped > 0)
    notChecked.push(`exactness of ${notTapped} integer products inside loops, or with unknown filters`);
  if (taps.length === 0) return { ...nothingChecked, notTapped };
  // As it is: fusions would hide the integer outputs, the kernels below them are the same.
  const bytes = request.tapped.serialize(model);
  const session = await open({ bytes, folder }, { ...options, optimization: 'disabled' });
  const checks: IntegerCheck[] = [];
  for (const feeds of ran.slice(0, exactCases)) {
    throwIfAborted(request.signal);
    checks.push(await runIntegerCheck(session, taps, notTapped, feeds));
  }
  const check = sumChecks(checks);
  if (check.wrong === 0) return check;
  throw new OptimumError(
    'E_VERIFY_NUMERIC',
    `${request.name}: ${check.wrong} of ${check.outputs} integer outputs differ from exact arithmetic (worst: ` +
      `${check.worst[0]?.node}): this CPU's 8-bit kernels saturate on these weights.`,
    {
      context: { ...check },
      hint: 'Use recipe latency or --target portable, whose weights no CPU saturates on; --target NAME makes it for another CPU.',
    },
  );
}

/**
 * The graph with the integer products in it: the one that was written, or, where it has float operators between integers
 * or kernels of this machine are exchanged for exact ones, what the runtime makes of it before it changes layouts.
 */
async function modelWithIntegers(
  request: VerifyRequest,
  open: OpenSession,
  options: SessionOptions,
): Promise<{ readonly model: Model; readonly folder: string }> {
  const { tapped, optimizedModelPath, quantized } = request;
  if (!request.exactKernelPath && !hasProductsBetweenIntegers(tapped.model)) return tapped;
  const [folder, path] = beside(optimizedModelPath, 'fused.onnx');
  const session = await open(quantized, { ...options, optimization: 'extended', optimizedModelPath: path });
  await session.close();
  return { model: request.readModel(path), folder };
}

/** The folder of a path, and another path in it. */
function beside(path: string, name: string): readonly [string, string] {
  const folder = path.replace(/[^/\\]*$/, '');
  return [folder, `${folder}${name}`];
}

/** Times both on the first inputs that are taken; `undefined` where there are none. */
export async function timeBoth(
  request: VerifyRequest,
  original: Session,
  quantized: Session,
  ran: readonly Feeds[],
  notChecked: string[],
) {
  if ('notMeasured' in request.timing) {
    notChecked.push(`speed: ${request.timing.notMeasured}`);
    return undefined;
  }
  let refusal: unknown;
  for (const make of [...request.timing.attempts, ...ran.map((feeds) => () => feeds)]) {
    try {
      return await measureSpeed(original, quantized, make(), { threads: request.threads, signal: request.signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal ??= error;
    }
  }
  notChecked.push(`speed: the original model refuses made-up inputs (${firstLine(refusal)})`);
  return undefined;
}

/** Largest relative error and smallest cosine over outputs. */
export function worstOf(outputs: readonly OutputDifference[]): { relativeError: number; cosine: number } {
  return {
    relativeError: Math.max(0, ...outputs.map((output) => output.relativeError)),
    cosine: Math.min(1, ...outputs.map((output) => output.cosine)),
  };
}
