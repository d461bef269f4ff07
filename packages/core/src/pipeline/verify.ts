import type { Runtime, Session, SessionOptions, TensorData } from '../backend/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { type IntegerCheck, runIntegerCheck, tapIntegerProducts } from './check-integers.ts';
import { checkKernels, type KernelCheck, requireKernels } from './check-kernels.ts';
import { compareOutputs, type OutputDifference } from './compare-outputs.ts';
import { measureSpeed, type SpeedComparison } from './measure-speed.ts';

/**
 * Bounds of the numeric verdict, on any float output of any case. Exact dynamic int8 of sound Transformers stays
 * below 0.35 even with planted outliers (MiniLM-outlier 0.34, research/peers.md section 6); saturated or broken
 * graphs reach 0.98 and more. Between them there is nothing, so the bound sits in the gap.
 */
export const numericBounds = { relativeError: 0.6, cosine: 0.8 } as const;

/** Inputs to compare on, with where they come from. */
export interface Case {
  readonly label: string;
  readonly feeds: Readonly<Record<string, TensorData>>;
  /** Tried when the original refuses the first ones (a table of few positions, say). */
  readonly fallback?: Readonly<Record<string, TensorData>> | undefined;
}

export interface CaseResult {
  readonly label: string;
  readonly outputs: readonly OutputDifference[];
}

/** What verification needs; files and processes stay behind functions, so that this stage runs anywhere. */
export interface VerifyRequest {
  readonly name: string;
  readonly runtime: Runtime;
  readonly original: { readonly path: string };
  readonly quantized: { readonly path: string };
  /** Where the runtime may write its optimized graph, and how to read that file. */
  readonly optimizedModelPath: string;
  readonly readModel: (path: string) => Model;
  /** The quantized model read again, to be tapped, and how to make session bytes of it. */
  readonly tapped: { readonly model: Model; readonly serialize: (model: Model) => Uint8Array; readonly folder: string };
  /** Kernels that the plan's capabilities promise, and for how many nodes. */
  readonly kernels: readonly string[];
  readonly expectedKernels: number;
  readonly cases: readonly Case[];
  /** Inputs for timing; absent when speed cannot be measured here (another target). */
  readonly timing?: Case | undefined;
  readonly session: Readonly<Record<string, string>>;
  /** True where this machine's own kernels would saturate what the target's do not. */
  readonly exactKernelPath: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface VerifyReport {
  readonly kernels: KernelCheck;
  readonly integers: IntegerCheck;
  readonly cases: readonly CaseResult[];
  readonly speed?: SpeedComparison | undefined;
  /** Largest relative error and smallest cosine over all float outputs and cases. */
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
  const options: SessionOptions = { threads: 1, config, ...(request.signal && { signal: request.signal }) };
  const open = openSessions(request.runtime);
  try {
    const quantized = await open(request.quantized, { ...options, optimizedModelPath: request.optimizedModelPath });
    const kernels = checkKernels(
      request.readModel(request.optimizedModelPath),
      request.kernels,
      request.expectedKernels,
    );
    requireKernels(kernels, request.name);
    const original = await open(request.original, options);
    const compared = await compareCases(request, original, quantized, notChecked);
    const integers = await checkIntegers(request, open, options, compared.feeds, notChecked);
    const speed = await timeBoth(request, original, quantized, notChecked);
    return { kernels, integers, cases: compared.results, speed, ...worstOf(compared.results), notChecked };
  } finally {
    await open.closeAll();
  }
}

type OpenSession = ((...parameters: Parameters<Runtime['createSession']>) => Promise<Session>) & {
  closeAll(): Promise<void>;
};

function openSessions(runtime: Runtime): OpenSession {
  const sessions: Session[] = [];
  const open = async (...parameters: Parameters<Runtime['createSession']>): Promise<Session> => {
    const session = await runtime.createSession(...parameters);
    sessions.push(session);
    return session;
  };
  return Object.assign(open, { closeAll: async () => void (await Promise.allSettled(sessions.map((s) => s.close()))) });
}

/** Runs every case through both. A case that the original itself refuses says nothing about the new model. */
async function compareCases(request: VerifyRequest, original: Session, quantized: Session, notChecked: string[]) {
  const results: CaseResult[] = [];
  let feeds: Case['feeds'] | undefined;
  for (const subject of request.cases) {
    throwIfAborted(request.signal);
    const ran = await runOriginal(subject, original, notChecked);
    if (!ran) continue;
    feeds ??= ran.feeds;
    const outputs = compareOutputs(ran.outputs, await quantized.run(ran.feeds));
    requireNear(request.name, subject.label, outputs);
    results.push({ label: subject.label, outputs });
  }
  return { results, feeds };
}

/** The original's outputs on a case, or on its fallback; `undefined` when it refuses both. */
async function runOriginal({ label, feeds, fallback }: Case, original: Session, notChecked: string[]) {
  let refusal: unknown;
  for (const inputs of [feeds, fallback]) {
    if (!inputs) continue;
    try {
      return { feeds: inputs, outputs: await original.run(inputs) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal ??= error;
    }
  }
  notChecked.push(`outputs on ${label}: the original model refuses them (${firstLine(refusal)}); give --data`);
  return undefined;
}

/** The model does not take such inputs: not a fault of the runtime, and no wish to stop. */
const isRefusal = (error: unknown): boolean => OptimumError.isInstance(error) && error.code === 'E_DATA_MISMATCH';

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

async function checkIntegers(
  request: VerifyRequest,
  open: OpenSession,
  options: SessionOptions,
  feeds: Case['feeds'] | undefined,
  notChecked: string[],
): Promise<IntegerCheck> {
  const { model, serialize, folder } = request.tapped;
  const { taps, notTapped } = tapIntegerProducts(model);
  const nothing: IntegerCheck = { nodes: 0, notTapped, outputs: 0, wrong: 0, worst: [] };
  if (notTapped > 0) notChecked.push(`${notTapped} integer products inside If or Loop bodies: exactness`);
  if (taps.length === 0 || !feeds) return nothing;
  // The graph as written: fusions would hide the integer outputs, the kernels below them are the same.
  const session = await open({ bytes: serialize(model), folder }, { ...options, optimization: 'disabled' });
  const check = await runIntegerCheck(session, taps, notTapped, feeds);
  if (check.wrong === 0) return check;
  throw new OptimumError(
    'E_VERIFY_NUMERIC',
    `${request.name}: ${check.wrong} of ${check.outputs} integer outputs differ from exact arithmetic (worst: ` +
      `${check.worst[0]?.node}): this CPU's 8-bit kernels saturate on these weights.`,
    { context: { ...check }, hint: 'Use --target portable, which makes weights that no CPU saturates on.' },
  );
}

async function timeBoth(request: VerifyRequest, original: Session, quantized: Session, notChecked: string[]) {
  if (!request.timing) {
    notChecked.push('speed: the target is another CPU than this one');
    return undefined;
  }
  let refusal: unknown;
  for (const feeds of [request.timing.feeds, request.timing.fallback]) {
    try {
      if (feeds) return await measureSpeed(original, quantized, feeds, { signal: request.signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal ??= error;
    }
  }
  notChecked.push(`speed: the original model refuses made-up inputs (${firstLine(refusal)})`);
  return undefined;
}

function worstOf(results: readonly CaseResult[]): { relativeError: number; cosine: number } {
  const outputs = results.flatMap((result) => result.outputs);
  return {
    relativeError: Math.max(0, ...outputs.map((output) => output.relativeError)),
    cosine: Math.min(1, ...outputs.map((output) => output.cosine)),
  };
}

const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] as string;
