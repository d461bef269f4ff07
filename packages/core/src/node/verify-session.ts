import { dirname, join } from 'node:path';
import { type Capability, featuresOf, holdsOn } from '../backend/index.ts';
import type { Model } from '../ir/index.ts';
import { integerEntries, type Verification, type VerifyRequest, verifyModel } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import type { SessionFile } from './model-folder.ts';
import type { SessionContext } from './session-context.ts';
import { givenCases, madeCases, timedAttempts } from './verify-inputs.ts';
import { notCompared, type OpenModel, serializeSlim, withScratch } from './verify-scratch.ts';

interface Subject {
  readonly session: SessionFile;
  /** The staged model. */
  readonly path: string;
  readonly plan: Plan;
  readonly context: SessionContext;
}

/** Proves a staged model on the backend's runtime; without a runtime it is unverified, with the command that helps. */
export async function verifySession(subject: Subject): Promise<Verification> {
  const { options, preparation } = subject.context;
  if (options.verify === false) return { status: 'unverified', reason: 'switched off' };
  const { runtime } = preparation.backend;
  const status = await runtime.status(options.projectFolder);
  if (status.status === 'absent') return { status: 'unverified', reason: status.reason, hint: status.hint };
  return withScratch(async (scratch, open) => {
    const report = await verifyModel(requestOf(subject, scratch, open));
    if (report.cases.length > 0) return { status: 'verified', ...report };
    return notCompared(report.notChecked);
  });
}

function requestOf(subject: Subject, scratch: string, open: OpenModel): VerifyRequest {
  const { session, path, plan, context } = subject;
  const { options, preparation } = context;
  const original = open(session.input).model;
  return {
    name: session.input,
    runtime: preparation.backend.runtime,
    original: { path: session.input },
    quantized: { path },
    optimizedModelPath: join(scratch, 'model.onnx'),
    readModel: (file) => open(file, path).model,
    tapped: { model: open(path).model, serialize: serializeSlim, folder: dirname(path) },
    kernels: kernelsOf(plan, preparation.capabilities),
    cases: [...givenCases(original, options.data ?? []), ...madeCases(original, [0, 1])],
    judgeBy: isStatic(plan) ? 'given' : 'all',
    moreCases: madeCases(original, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    timing: timingOf(original, context),
    threads: options.timingThreads ?? 1,
    from: options.projectFolder,
    session: preparation.recipe.session,
    exactKernelPath: saturatesHere(plan, preparation),
    signal: options.signal,
  };
}

/** Kernels that the capabilities promise for the products of a plan. */
function kernelsOf(plan: Plan, capabilities: readonly Capability[]): string[] {
  const used = new Set(
    integerEntries(plan).map(({ decision }) => ('capability' in decision ? decision.capability : '')),
  );
  return [...new Set(capabilities.filter(({ id }) => used.has(id)).flatMap(({ kernels }) => kernels))];
}

/** Made-up inputs lie outside of calibrated ranges: they say nothing about how far static integers are off. */
const isStatic = ({ entries }: Plan): boolean => entries.some(({ decision }) => decision.action === 'static');

/**
 * One sample of 128 tokens, the size by which int8 Transformers are usually compared, or as many as the model takes. Where
 * operators were chosen or calibrated at the shapes of the data, the first sample of it: other shapes cost otherwise.
 */
function timingOf(model: Model, { options, preparation }: SessionContext): VerifyRequest['timing'] {
  if (options.timing === false) return { notMeasured: 'switched off' };
  if (!preparation.target.isThisMachine) return { notMeasured: 'the target is another CPU than this one' };
  const [given] = preparation.recipe.mode === 'dynamic' ? [] : givenCases(model, options.data ?? []);
  return { label: 'timing', attempts: [...(given?.attempts ?? []), ...timedAttempts(model, options)] };
}

/** True where weights of the plan would saturate on this machine's kernels, though they do not on the target's. */
function saturatesHere(plan: Plan, { facts, capabilities, target }: SessionContext['preparation']): boolean {
  const here = featuresOf(facts);
  const isPairRule = capabilities.some(
    (claim) => claim.weight === 'int8' && claim.exact === 'pair-rule' && holdsOn(claim, here),
  );
  // A target that is this machine is proven on the kernels that it will run on.
  return (
    isPairRule &&
    !target.isThisMachine &&
    plan.entries.some(({ decision }) => {
      const weight = decision.action === 'matmul' || decision.action === 'static' ? decision.weight : undefined;
      return weight?.elementType === 'int8' && weight.range === 'full';
    })
  );
}
