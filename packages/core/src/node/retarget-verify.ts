import { dirname, join } from 'node:path';
import { featuresOf, holdsOn } from '../backend/index.ts';
import type { Model } from '../ir/index.ts';
import { type RetargetVerification, type RetargetVerifyRequest, verifyRetargeted } from '../pipeline/index.ts';
import type { IdenticalUpTo, RetargetResult } from '../quantize/index.ts';
import type { SessionFile } from './model-folder.ts';
import type { RetargetContext } from './retarget-options.ts';
import { givenCases, madeCases, timedAttempts } from './verify-inputs.ts';
import { notCompared, type OpenModel, serializeSlim, withScratch } from './verify-scratch.ts';

interface Subject {
  readonly session: SessionFile;
  /** The staged model. */
  readonly path: string;
  readonly result: RetargetResult;
  /** True where some operator could not be kept from saturating on the target. */
  readonly maySaturate: boolean;
  readonly context: RetargetContext;
}

/** Proves a staged model on the backend's runtime; without a runtime it is unverified, with the command that helps. */
export async function verifyRetargetedSession(subject: Subject): Promise<RetargetVerification> {
  const { options, preparation } = subject.context;
  if (options.verify === false) return { status: 'unverified', reason: 'switched off' };
  const status = await preparation.backend.runtime.status(options.projectFolder);
  if (status.status === 'absent') return { status: 'unverified', reason: status.reason, hint: status.hint };
  return withScratch(async (scratch, open) => {
    const report = await verifyRetargeted(requestOf(subject, scratch, open));
    return report.cases.length > 0 ? { status: 'verified', ...report } : notCompared(report.notChecked);
  });
}

function requestOf(subject: Subject, scratch: string, open: OpenModel): RetargetVerifyRequest {
  const { session, path, result, maySaturate, context } = subject;
  const { options, preparation } = context;
  const originalModel = open(session.input).model;
  const optimizedOriginalPath = join(scratch, 'original.onnx');
  return {
    name: session.input,
    runtime: preparation.backend.runtime,
    original: { path: session.input },
    originalModel,
    quantized: { path },
    optimizedOriginalPath,
    optimizedModelPath: join(scratch, 'model.onnx'),
    readModel: (file) => open(file, file === optimizedOriginalPath ? session.input : path).model,
    tapped: { model: open(path).model, serialize: serializeSlim, folder: dirname(path) },
    cases: [...givenCases(originalModel, options.data ?? []), ...madeCases(originalModel, [0, 1])],
    judgeBy: 'given',
    moreCases: madeCases(originalModel, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    timing: timingOf(originalModel, context),
    threads: options.timingThreads ?? 1,
    from: options.projectFolder,
    session: {},
    identicalUpTo: identicalUpTo(result),
    saturatesHere: saturatesHere(preparation),
    provesOwnKernels: preparation.target.isThisMachine,
    maySaturate,
    signal: options.signal,
  };
}

/** What holds for all that was done. A coarser grid or another arithmetic is compared within bounds alone. */
function identicalUpTo({ actions }: RetargetResult): IdenticalUpTo | undefined {
  const isSameGrid = actions.every(({ rewrite }) => rewrite !== 'pair-aware-weights' && rewrite !== 'accuracy-level');
  if (!isSameGrid) return undefined;
  return (
    (['none', 'basic'] as const).find((level) => actions.some((action) => action.identicalUpTo === level)) ?? 'all'
  );
}

function timingOf(model: Model, { options, preparation }: RetargetContext): RetargetVerifyRequest['timing'] {
  if (options.timing === false) return { notMeasured: 'switched off' };
  if (!preparation.target.isThisMachine) return { notMeasured: 'the target is another CPU than this one' };
  const [given] = givenCases(model, options.data ?? []);
  return { label: 'timing', attempts: [...timedAttempts(model), ...(given?.attempts ?? [])] };
}

/** True where signed weights may saturate on this machine's kernels. */
function saturatesHere({ facts, capabilities }: RetargetContext['preparation']): boolean {
  const here = featuresOf(facts);
  return capabilities.some((claim) => claim.weight === 'int8' && claim.exact === 'pair-rule' && holdsOn(claim, here));
}
