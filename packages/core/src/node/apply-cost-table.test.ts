import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tinyModel } from '../../../../tools/testing/tiny-models.ts';
import { capabilities } from '../../../runtime-onnxruntime/src/capabilities.ts';
import { cpuRecipes } from '../../../runtime-onnxruntime/src/recipes.ts';
import { defineBackend, type Recipe, type Runtime, type Target } from '../backend/index.ts';
import { formatPlan, parsePlan } from '../plan/index.ts';
import { parseModel } from '../text/index.ts';
import { applyCostTable, requireSomething } from './apply-cost-table.ts';
import { boundShapes } from './bound-shapes.ts';
import { costTablePath, costTableSubject } from './cost-table-file.ts';
import { readCpuFacts } from './cpu-facts.ts';
import { decide } from './plan-session.ts';
import type { SessionContext } from './session-context.ts';
import { tableOf } from './test-cost-table.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'optimum-table-'));
  vi.stubEnv('OPTIMUM_CACHE', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const runtime: Runtime = {
  specVersion: 1,
  id: 'fake',
  capabilities,
  limits: { opset: 26, irVersion: 13 },
  probeVersion: 1,
  status: async () => ({ status: 'found', version: '1', path: '' }),
  createSession: async () => Promise.reject(new Error('no sessions here')),
  probe: async () => Promise.reject(new Error('nobody may measure here')),
};
const backend = defineBackend({ specVersion: 1, id: 'fake', runtime, targets: [], recipes: cpuRecipes });
const facts = readCpuFacts();
const target: Target = {
  ...{ id: 'here', name: '', match: [], specificity: 0, sources: [], backend: 'fake', isThisMachine: true },
  features: ['avx2', 'avx512-vnni'],
};

const contextOf = (
  more: {
    readonly options?: Partial<SessionContext['options']>;
    readonly recipe?: Recipe;
    readonly target?: Target;
  } = {},
): SessionContext => ({
  options: { input: '', ...more.options },
  preparation: {
    facts,
    target: more.target ?? target,
    backend,
    recipe: more.recipe ?? (cpuRecipes[0] as Recipe),
    capabilities: [...capabilities],
  },
  isFolder: false,
  finalPath: () => '',
});

/** Keeps a table in which int8 takes so long. */
async function keep(integerUs: (us: number) => number, quantizeUs?: number): Promise<void> {
  const subject = await costTableSubject(runtime, facts);
  const path = costTablePath(subject as NonNullable<typeof subject>);
  mkdirSync(dirname(path), { recursive: true });
  const table = tableOf(runtime, '1', integerUs);
  const quantize = [{ kernel: 'quantize-dynamic', rows: 1, depth: 1, columns: 128, microseconds: quantizeUs }];
  const kernels = [...table.kernels, ...(quantizeUs === undefined ? [] : quantize)];
  writeFileSync(path, JSON.stringify({ ...table, kernels }));
}

const plan = async (more: Parameters<typeof contextOf>[0] = {}) => {
  const model = tinyModel({ width: 64 });
  const context = contextOf(more);
  return applyCostTable(decide(model, context), model, context);
};

/** Two microseconds of overhead, a quarter of the time. */
const realistic = (us: number): number => 2 + us / 4;

const slow = { action: 'float', reason: { code: 'no-faster', text: expect.any(String) } };

describe('applyCostTable', () => {
  it('leaves products in float that get no faster at the given sizes, with both times', async () => {
    await keep(realistic);
    const { plan: made } = await plan({ options: { batch: 1 } });
    expect(made.entries.map(({ decision }) => decision)).toEqual([slow, slow]);
    expect(() => requireSomething(made)).toThrow(expect.objectContaining({ code: 'E_NOTHING_TO_QUANTIZE' }));
    expect(() => requireSomething(made)).toThrow(
      /1×64 times 64×64 takes 2\.\d µs as int8 and 0\.\d µs as float32 here/,
    );
  });

  it('quantizes them where there is more to do, and names the table', async () => {
    await keep(realistic);
    const { plan: made, notes } = await plan({ options: { batch: 128 } });
    expect(made.entries.map(({ decision }) => decision.action)).toEqual(['matmul', 'matmul']);
    expect(made.costTable).toMatch(/^fake-1-p1-[0-9a-f]{8}$/);
    expect(notes).toEqual([]);
    expect(parsePlan(formatPlan(made))).toEqual(made);
    expect((await plan({ options: { batch: 128 } })).plan).toEqual(made);
  });

  it('shares the quantization of an activation among the products that read it', async () => {
    await keep(realistic, 1.5);
    const zeros = `{${Array.from({ length: 4096 }, () => 0)}}`;
    const weights = `<float[64,64] u = ${zeros}, float[64,64] v = ${zeros}, float[64,64] w = ${zeros}>`;
    const text = (body: string): string =>
      `<ir_version: 8, opset_import: ["": 17]> g (float[32,64] x) => (y) ${weights} { ${body} }`;
    const actions = async (body: string) => {
      const model = parseModel(text(body));
      const { plan: made } = await applyCostTable(decide(model, contextOf()), model, contextOf());
      return made.entries.map(({ decision }) => decision.action);
    };
    const together = 'q = MatMul (x, u)  k = MatMul (x, v)  p = MatMul (x, w)  y = Sum (q, k, p)';
    expect(await actions(together)).toEqual(['matmul', 'matmul', 'matmul']);
    const apart = 'q = MatMul (x, u)  k = MatMul (q, v)  y = MatMul (k, w)';
    expect(await actions(apart)).toEqual(['float', 'float', 'float']);
  });

  it('is for recipes that ask for speed, on the machine that was measured', async () => {
    await keep((us) => us * 10);
    const compatible = cpuRecipes.find(({ id }) => id === 'compatible') as Recipe;
    for (const more of [
      { recipe: compatible },
      { target: { ...target, isThisMachine: false } },
      { target: { ...target, everywhere: true }, options: { target: 'portable' } },
    ]) {
      const { plan: made, notes } = await plan(more);
      expect(made.entries.some(({ decision }) => decision.action === 'matmul')).toBe(true);
      expect(made).not.toHaveProperty('costTable');
      expect(notes).toEqual([]);
    }
  });

  it('measures nothing by itself, and says what could be known', async () => {
    expect((await plan({ options: { timing: false } })).notes.join()).toMatch(/optimum probe measures it once/);
    // The time of the result says more.
    expect((await plan()).notes).toEqual([]);
    await keep(realistic);
    const subject = await costTableSubject(runtime, facts);
    writeFileSync(costTablePath(subject as NonNullable<typeof subject>), '{');
    expect((await plan()).notes.join()).toMatch(/not used: it is not JSON .*run optimum probe/);
  });
});

describe('boundShapes', () => {
  it('gives shapes at sizes, and leaves the model as it was', () => {
    const model = tinyModel();
    const before = model.graph.inputs.map(({ type }) => type);
    const product = model.graph.firstNode?.outputs[0];
    expect(product && boundShapes(model, { batch: 7 })(product)).toEqual([7, 64]);
    expect(product && boundShapes(model, {})(product)).toEqual([1, 64]);
    expect(model.graph.inputs.map(({ type }) => type)).toEqual(before);
  });
});
