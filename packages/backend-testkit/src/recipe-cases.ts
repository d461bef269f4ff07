import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Backend,
  capabilitiesOf,
  type Mode,
  matchTarget,
  parseModel,
  placementOf,
  type Recipe,
} from '@optimum/core';
import { quantize, saveModel } from '@optimum/core/node';
import { type BackendCase, BackendCaseError } from './backend-case.ts';
import type { KitContext } from './kit-context.ts';
import { recipeModelText } from './recipe-model.ts';

/** Each recipe from end to end: a small model is quantized as `optimum quantize` does it, and verified on the runtime. */
export const recipeCases = (context: KitContext): BackendCase[] =>
  context.backend.recipes.map((recipe) => ({
    name: `recipe ${recipe.id}`,
    run: async () => {
      const problem = problemOf(recipe, context.backend) ?? (await runRecipe(recipe, context));
      if (problem) throw new BackendCaseError(`recipe ${recipe.id} ${problem}.`);
    },
  }));

const isKnown = (op: string): boolean => op === 'Gather' || placementOf({ op, domain: '' }) !== undefined;

/** What the recipe asks for that nothing can give. */
function problemOf({ operators, mode, session, description }: Recipe, backend: Backend): string | undefined {
  const unknown = operators.filter((op) => !isKnown(op));
  if (unknown.length > 0)
    return `names ${unknown.join(', ')}, which no planner knows as an operator that can be quantized`;
  const modes: readonly Mode[] = mode === 'auto' ? ['dynamic', 'static'] : [mode];
  const claims = capabilitiesOf(backend);
  const missing = modes.filter((one) => !claims.some((claim) => claim.mode === one && operators.includes(claim.op)));
  if (missing.length > 0)
    return `is of mode ${mode}, but no claim is about its operators in mode ${missing.join(' or ')}`;
  const wrong = Object.entries<unknown>(session).find(([, value]) => typeof value !== 'string');
  if (wrong) return `has the session entry ${wrong[0]} that is no string`;
  return description.trim() === '' ? 'does not say what it is for' : undefined;
}

/** Where the module that `optimum` loads in a project of the kit's finds the backend under test. */
const shelf: unique symbol = Symbol.for('optimum.backend-testkit');
let projects = 0;

function shelved(): Record<string, Backend> {
  const everything = globalThis as { [shelf]?: Record<string, Backend> };
  everything[shelf] ??= {};
  return everything[shelf];
}

async function runRecipe(recipe: Recipe, context: KitContext): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'optimum-recipe-'));
  const key = `project-${projects++}`;
  const backends = shelved();
  backends[key] = fromHere(context.backend);
  try {
    writeProject(folder, key, context.backend);
    const input = join(folder, 'model.onnx');
    await saveModel(parseModel(recipeModelText), input);
    const { id, targets } = context.backend;
    const target = matchTarget(targets, context.facts) ?? targets.find(({ everywhere }) => everywhere) ?? targets[0];
    const options = { input, backend: id, target: target?.id, recipe: recipe.id, projectFolder: folder };
    const { sessions } = await quantize({ ...options, output: join(folder, 'out.onnx'), timing: false });
    const [session] = sessions;
    if (session?.status !== 'quantized') return 'quantized nothing of a model with a table, products and a convolution';
    const { verification } = session;
    return verification.status === 'verified' ? undefined : `is not verified: ${verification.reason}`;
  } finally {
    delete backends[key];
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A project whose only dependency is the backend under test. */
function writeProject(folder: string, key: string, { id, targets }: Backend): void {
  const write = (path: string, content: unknown): void =>
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  const name = `backend-under-test`;
  mkdirSync(join(folder, 'node_modules', name), { recursive: true });
  write('package.json', { name: 'testkit-project', private: true, dependencies: { [name]: '0.0.0' } });
  const manifest = { id, spec: 1, entry: './index.mjs', targets: './targets.json' };
  write(`node_modules/${name}/package.json`, { name, version: '0.0.0', optimum: { backend: manifest } });
  write(`node_modules/${name}/targets.json`, targets);
  write(`node_modules/${name}/index.mjs`, `export default globalThis[Symbol.for('${shelf.description}')]['${key}'];\n`);
}

/** The same backend, whose runtime is looked for where the kit is run and not in the project made up for the recipe. */
function fromHere(backend: Backend): Backend {
  const { runtime } = backend;
  const found = {
    ...runtime,
    status: () => runtime.status(),
    createSession: (model, { from: _, ...options } = {}) => runtime.createSession(model, options),
  } satisfies Backend['runtime'] as Backend['runtime'];
  return Object.create(backend, { runtime: { value: found, enumerable: true } }) as Backend;
}
