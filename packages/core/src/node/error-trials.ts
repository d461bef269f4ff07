import type { ModelSource, Session, TensorData } from '../backend/index.ts';
import type { QuantizationParameters } from '../observe/index.ts';
import { addSums, compareOutputs, differenceOf, type Feeds, type OutputSums } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import { realize } from '../quantize/index.ts';
import { slimSource } from './calibrate-slim.ts';
import { loadCanonical } from './load-canonical.ts';
import type { SessionContext } from './session-context.ts';

/**
 * How far static nodes may move the outputs: relative error (L2), and the part of rows whose largest element may change
 * place. Tighter than the bounds of the proof, which only catch what is broken.
 */
export const autoBounds = { relativeError: 0.1, changedTop: 0.02 } as const;

/** Runs plans on a few samples and tells how far their outputs are from the original's. */
export interface ErrorTrials {
  /** The largest relative error over the outputs. */
  errorOf(plan: Plan): Promise<number>;
  isWithin(plan: Plan): Promise<boolean>;
}

export interface TrialSubject {
  readonly path: string;
  readonly parameters: ReadonlyMap<string, QuantizationParameters>;
  readonly feeds: readonly Feeds[];
}

/** Trial models are made in memory and read the weights that stay float from the file of the original. */
export async function openErrorTrials(subject: TrialSubject, context: SessionContext): Promise<ErrorTrials> {
  const expected = await withSession({ path: subject.path }, context, (session) => runAll(session, subject.feeds));
  const differences = async (plan: Plan) => {
    const loaded = await loadCanonical(subject.path, context);
    try {
      realize(loaded.model, plan, { parameters: subject.parameters });
      const source = slimSource(loaded.model, subject.path);
      return await withSession(source, context, async (session) =>
        compareAll(expected, await runAll(session, subject.feeds)),
      );
    } finally {
      loaded.close();
    }
  };
  return {
    errorOf: async (plan) => Math.max(...(await differences(plan)).map(({ relativeError }) => relativeError)),
    isWithin: async (plan) =>
      (await differences(plan)).every(
        ({ relativeError, sameTop, nonFinite }) =>
          relativeError <= autoBounds.relativeError && 1 - sameTop <= autoBounds.changedTop && nonFinite === 0,
      ),
  };
}

async function withSession<T>(
  source: ModelSource,
  { options, preparation }: SessionContext,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await preparation.backend.runtime.createSession(source, {
    threads: options.timingThreads ?? 1,
    config: preparation.recipe.session,
    ...(options.projectFolder && { from: options.projectFolder }),
    ...(options.signal && { signal: options.signal }),
  });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

type Outputs = Readonly<Record<string, TensorData>>;

async function runAll(session: Session, feeds: readonly Feeds[]): Promise<Outputs[]> {
  const outputs: Outputs[] = [];
  for (const sample of feeds) outputs.push(await session.run(sample));
  return outputs;
}

/** Every output over all samples together. */
function compareAll(expected: readonly Outputs[], actual: readonly Outputs[]) {
  const pooled = new Map<string, OutputSums>();
  expected.forEach((outputs, index) => {
    for (const [name, sums] of compareOutputs(outputs, actual[index] ?? {})) {
      const before = pooled.get(name);
      pooled.set(name, before ? addSums(before, sums) : sums);
    }
  });
  return [...pooled].map(([name, sums]) => differenceOf(name, sums));
}
