import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Capability, featuresOf, holdsOn, type TensorData } from '../backend/index.ts';
import type { Model } from '../ir/index.ts';
import { serializeModel } from '../onnx/index.ts';
import {
  type Case,
  integerEntries,
  makeInputs,
  requiredInputs,
  type Verification,
  type VerifyRequest,
  verifyModel,
} from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import { type LoadedModel, loadModelSync } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import type { SessionContext } from './quantize.ts';

interface Subject {
  readonly session: SessionFile;
  /** The staged model. */
  readonly path: string;
  readonly plan: Plan;
  readonly context: SessionContext;
}

const seed = 20_260_101;

/** Proves a staged model on the backend's runtime; without a runtime it is unverified, with the command that helps. */
export async function verifySession(subject: Subject): Promise<Verification> {
  const { options, preparation } = subject.context;
  if (options.verify === false) return { status: 'unverified', reason: 'switched off' };
  const { runtime } = preparation.backend;
  const status = await runtime.status(options.projectFolder);
  if (status.status === 'absent') return { status: 'unverified', reason: status.reason, hint: status.hint };
  const scratch = mkdtempSync(join(tmpdir(), 'optimum-verify-'));
  const opened: LoadedModel[] = [];
  const open = (path: string): LoadedModel => {
    const loaded = loadModelSync(path);
    opened.push(loaded);
    return loaded;
  };
  try {
    return { status: 'verified', ...(await verifyModel(requestOf(subject, scratch, open))) };
  } finally {
    for (const loaded of opened) loaded.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function requestOf(subject: Subject, scratch: string, open: (path: string) => LoadedModel): VerifyRequest {
  const { session, path, plan, context } = subject;
  const { options, preparation } = context;
  const original = open(session.input).model;
  return {
    name: session.input,
    runtime: preparation.backend.runtime,
    original: { path: session.input },
    quantized: { path },
    optimizedModelPath: join(scratch, 'model.onnx'),
    readModel: (file) => open(file).model,
    tapped: { model: open(path).model, serialize: serializeSlim, folder: dirname(path) },
    kernels: kernelsOf(plan, preparation.capabilities),
    expectedKernels: plan.entries.filter(({ decision }) => decision.action === 'matmul').length,
    cases: [...madeCases(original), ...givenCases(original, options.data ?? [])],
    timing: preparation.target.isThisMachine ? timingCase(original) : undefined,
    session: preparation.recipe.session,
    exactKernelPath: saturatesHere(plan, preparation),
    signal: options.signal,
  };
}

/** The model without its weights: they are read from the files that they lie in. */
const serializeSlim = (model: Model): Uint8Array =>
  serializeModel(model, { slim: { locate: (source) => source.path && basename(source.path) } });

/** Kernels that the capabilities promise for the products of a plan. */
function kernelsOf(plan: Plan, capabilities: readonly Capability[]): string[] {
  const used = new Set(
    integerEntries(plan).map(({ decision }) => ('capability' in decision ? decision.capability : '')),
  );
  return [...new Set(capabilities.filter(({ id }) => used.has(id)).flatMap(({ kernels }) => kernels))];
}

/** Made-up inputs in two sizes; smaller ones where the model has a table of few positions. */
function madeCases(model: Model): Case[] {
  const small = new Map([
    ['sequence', 4],
    ['past', 2],
  ]);
  const smaller = new Map([
    ['sequence', 7],
    ['past', 3],
  ]);
  return ([0, 1] as const).map((variant) => ({
    label: `made-up inputs ${variant + 1}`,
    feeds: makeInputs(model, { seed: seed + variant, variant }),
    fallback: makeInputs(model, { seed: seed + variant, variant, sizes: variant === 0 ? small : smaller }),
  }));
}

/** The user's samples that this session takes. */
function givenCases(model: Model, data: readonly Readonly<Record<string, TensorData>>[]): Case[] {
  const names = requiredInputs(model).map(({ name }) => name ?? '');
  return data
    .map((feeds, index) => ({ label: `sample ${index + 1} of the data`, feeds }))
    .filter(({ feeds }) => names.every((name) => name in feeds));
}

/** One sample of 128 tokens: the size by which int8 Transformers are usually compared. */
const timingCase = (model: Model): Case => ({
  label: 'timing',
  feeds: makeInputs(model, { seed, variant: 0, sizes: new Map([['sequence', 128]]) }),
  fallback: makeInputs(model, { seed, variant: 0 }),
});

/** True where weights of the plan would saturate on this machine's kernels, though they do not on the target's. */
function saturatesHere(plan: Plan, { facts, capabilities }: SessionContext['preparation']): boolean {
  const here = featuresOf(facts);
  const isPairRule = capabilities.some(
    (claim) => claim.weight === 'int8' && claim.exact === 'pair-rule' && holdsOn(claim, here),
  );
  return (
    isPairRule &&
    plan.entries.some(
      ({ decision }) =>
        decision.action === 'matmul' && decision.weight.elementType === 'int8' && decision.weight.range === 'full',
    )
  );
}
