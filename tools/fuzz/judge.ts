import * as analysis from '../../packages/core/src/analysis/index.ts';
import { constantOf } from '../../packages/core/src/analysis/index.ts';
import type { Recipe } from '../../packages/core/src/backend/index.ts';
import { MemorySink, MemorySource, OptimumError } from '../../packages/core/src/foundation/index.ts';
import { type Model, verify, walkNodes, walkValues } from '../../packages/core/src/ir/index.ts';
import { executePlan, planWrite, readModel, serializeModel } from '../../packages/core/src/onnx/index.ts';
import { nodeIds } from '../../packages/core/src/plan/index.ts';
import { annotate } from '../../packages/core/src/quantize/index.ts';
import { capabilities, cpuRecipes } from '../../packages/runtime-onnxruntime/src/index.ts';

export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string }
  /** A promise was broken. */
  | { readonly kind: 'broken'; readonly what: string };

/** Every file of external data is this one. */
const sidecar = new MemorySource(new Uint8Array(1 << 16), 'sidecar');
const openExternal = (): MemorySource => sidecar;

/**
 * Does with bytes what every command does with a model, and says whether the promises hold: it is refused with a typed
 * error, or it is analysed, written, read again and written again to the same bytes.
 */
export function judge(bytes: Uint8Array): Verdict {
  let model: Model;
  try {
    model = readModel(new MemorySource(bytes, 'mutant.onnx'), { openExternal });
  } catch (error) {
    if (!OptimumError.isInstance(error)) return broken('reading', error);
    return error.code === 'E_INTERNAL' ? broken('reading', error) : { kind: 'refused', code: error.code };
  }
  return stage('analysis', () => analyse(model)) ?? stage('writing', () => writeTwice(model)) ?? { kind: 'accepted' };
}

function broken(where: string, error: unknown): Verdict {
  return {
    kind: 'broken',
    what: `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  };
}

function stage(name: string, action: () => string | undefined): Verdict | undefined {
  try {
    const what = action();
    return what === undefined ? undefined : { kind: 'broken', what: `${name}: ${what}` };
  } catch (error) {
    return broken(name, error);
  }
}

/** What is typed may be thrown by analyses: a mutant can be sound as a file and still be nonsense. */
function typed(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!OptimumError.isInstance(error) || error.code === 'E_INTERNAL') throw error;
  }
}

function analyse(model: Model): string | undefined {
  for (const node of walkNodes(model)) for (const value of node.inputs) if (value) typed(() => constantOf(value));
  nodeIds(model);
  const recipe = cpuRecipes[0] as Recipe;
  typed(() => void annotate(model, { capabilities, features: ['avx2', 'avx512-vnni'], recipe, target: 'fuzz' }));
  const { inferTypes } = analysis as { inferTypes?: (model: Model) => unknown };
  if (inferTypes) typed(() => void inferTypes(model));
  const [problem] = verify(model);
  return problem && `${problem.rule}: ${problem.message} (${problem.at})`;
}

function writeTwice(model: Model): string | undefined {
  const first = serializeModel(model);
  const again = readModel(new MemorySource(first, 'first.onnx'));
  const difference = differenceOf(model, again);
  if (difference) return `what was written is another model: ${difference}`;
  const second = serializeModel(again);
  if (Buffer.compare(first, second) !== 0) return `written twice, ${first.length} and ${second.length} bytes`;
  // Not each time: it takes as long as everything else.
  return first.length % 4 === 0 ? writeExternal(model) : undefined;
}

/** The same with the weights in a file of their own. */
function writeExternal(model: Model): string | undefined {
  const plan = planWrite(model, { external: { location: 'data', minimumByteLength: 1 } });
  const sinks = { model: new MemorySink(), external: new MemorySink() };
  executePlan(plan, sinks);
  const data = new MemorySource(sinks.external.bytes, 'data');
  const again = readModel(new MemorySource(sinks.model.bytes, 'external.onnx'), { openExternal: () => data });
  const difference = differenceOf(model, again);
  return difference && `with external data it is another model: ${difference}`;
}

/** The first thing that differs: operators, attributes that are there, element types, dims and bytes of data. */
function differenceOf(before: Model, after: Model): string | undefined {
  const [a, b] = [factsOf(before), factsOf(after)];
  for (let index = 0; index < Math.max(a.length, b.length); index++)
    if (a[index] !== b[index]) return `${a[index]} became ${b[index]}`.slice(0, 500);
  return undefined;
}

function factsOf(model: Model): string[] {
  const facts = [...walkNodes(model)].map(
    ({ op, domain, inputs, outputs, attributes }) =>
      `${domain} ${op} ${inputs.length} ${outputs.length} ${[...attributes].map(([name, { type }]) => `${name}:${type}`)}`,
  );
  for (const value of walkValues(model)) {
    const tensor = analysis.storedTensor(value);
    if (!tensor) continue;
    const data = tensor.elementType === 'string' ? tensor.strings() : [tensor.bytes()];
    facts.push(`${tensor.elementType} [${tensor.dims}] ${data.map((bytes) => Buffer.from(bytes).toString('base64'))}`);
  }
  return facts;
}
