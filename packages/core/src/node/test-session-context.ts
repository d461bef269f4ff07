import { everyClaim, randomFeed, staticRecipe } from '../../../../tools/testing/quantize-statically.ts';
import { root } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { Recipe, Runtime, Target } from '../backend/index.ts';
import type { Model } from '../ir/index.ts';
import type { CalibrationData } from './calibrate.ts';
import type { CalibrationSubject } from './calibrate-plan.ts';
import { loadCanonical } from './load-canonical.ts';
import { saveModel } from './save-model.ts';
import type { QuantizeOptions, SessionContext } from './session-context.ts';

/** What sessions are treated with in tests: a backend that claims everything, on the runtime that is there. */
export interface ContextOptions {
  readonly mode?: Recipe['mode'];
  readonly runtime?: Runtime;
  readonly isThisMachine?: boolean;
  readonly options?: Partial<QuantizeOptions>;
}

export function testContext({
  mode = 'static',
  runtime = onnxruntime,
  isThisMachine = true,
  options = {},
}: ContextOptions = {}): SessionContext {
  const recipe: Recipe = { ...staticRecipe, mode };
  const spec = { id: 'test', name: 'Test', match: [], features: [], specificity: 0, sources: [] };
  const target: Target = { ...spec, backend: 'test', isThisMachine };
  const backend = { specVersion: 1, id: 'test', runtime, targets: [spec], recipes: [recipe] } as const;
  const facts = { architecture: 'x64', vendor: '', modelName: '', flags: [], threads: 1 };
  return {
    options: { input: 'model.onnx', projectFolder: root, ...options },
    preparation: { facts, target, backend, recipe, capabilities: [...everyClaim] },
    isFolder: false,
    finalPath: ({ name }) => `${name}.onnx`,
  };
}

/** Random inputs `x`, the same ones every time; the option that hands them to a session. */
export function randomData(dims: readonly number[], count: number): NonNullable<QuantizeOptions['calibration']> {
  const data: CalibrationData = {
    hash: 'd'.repeat(64),
    source: 'random numbers',
    count,
    async *samples() {
      for (let index = 0; index < count; index++) yield { index, feeds: { x: randomFeed(dims, index) } };
    },
  };
  return { data: async () => data };
}

/** A model as a file, and the same read as sessions read it. */
export async function subjectOf(
  model: Model,
  path: string,
  context: SessionContext,
): Promise<CalibrationSubject & { close(): void }> {
  await saveModel(model, path, { force: true });
  const loaded = await loadCanonical(path, context);
  return { session: 'model', path, model: loaded.model, close: () => loaded.close() };
}
