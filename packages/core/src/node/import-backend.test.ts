import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../../../../tools/testing/tiny-models.ts';
import type { Backend, Target, TargetSpec } from '../backend/index.ts';
import type { Node } from '../ir/index.ts';
import type { Plan } from '../plan/index.ts';
import { importBackend } from './import-backend.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const target: TargetSpec = { id: 'one', name: 'One', match: [], features: [], specificity: 1, sources: [] };
let count = 0;

/** Loads code as the backend `acme`. A time limit that good code keeps with ease, and bad code does not. */
function load(code: string, more: { readonly timeLimitMs?: number; readonly file?: string } = {}): Promise<Backend> {
  const { timeLimitMs = 500, file = 'index.js' } = more;
  const place = join(folder, String(count++));
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(place, file), code);
  const installed = {
    id: 'acme',
    package: 'backend-acme',
    version: '1.2.3',
    folder: place,
    manifest: { id: 'acme', spec: 1, entry: `./${file}`, targets: './targets.json' },
    targets: [target],
  } as const;
  return importBackend(installed, { timeLimitMs });
}

const good = `
  [Symbol.for('optimum.backend')]: true, specVersion: 1, id: 'acme', recipes: [{ id: 'latency' }],
  targets: [${JSON.stringify(target)}],
  runtime: { id: 'fake', capabilities: [], status() {}, createSession() {} },`;
const withHooks = (hooks: string): string => `export default { ${good} ${hooks} }`;

const refused = async (code: string, message: RegExp): Promise<void> => {
  await expect(load(code)).rejects.toMatchObject({
    code: 'E_BACKEND_INCOMPATIBLE',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('npm install backend-acme@latest'),
    context: { backend: 'acme', package: 'backend-acme' },
  });
};

describe('a backend', () => {
  it('is given as its module has it', async () => {
    const backend = await load(withHooks('extra: 7'));
    expect(backend).toMatchObject({ id: 'acme', targets: [target], extra: 7 });
    expect(backend.adjustPlan).toBeUndefined();
  });

  it('may wait for something, be an instance of a class, and be CommonJS that knows `default`', async () => {
    const code = `await new Promise((done) => setTimeout(done, 5)); class Acme { constructor() { Object.assign(this, { ${good} }); }
      estimate() { return { flops: this.factor(), bytes: 1 }; } factor() { return 2; } } export default new Acme();`;
    const backend = await load(code);
    expect(backend.estimate?.({} as Node, target as Target)).toEqual({ flops: 2, bytes: 1 });
  });
});

describe('loading ends with a typed error when the code', () => {
  it.each([
    ['throws', 'throw new Error("no device")', /cannot be loaded: no device/],
    ['throws what is no error', 'throw "no device"', /cannot be loaded: no device/],
    ['throws after waiting', 'await null; throw new Error("no device")', /cannot be loaded: no device/],
    ['is no JavaScript', 'export default {', /cannot be loaded: /],
    ['asks for what is not there', 'import "not-installed"', /cannot be loaded: .*not-installed/],
    ['waits for ever', 'await new Promise(() => {})', /cannot be loaded: it did not end within 0\.5 s/],
    ['never ends', 'for (;;);', /cannot be loaded: it did not end within 0\.5 s/],
    ['ends the program', 'process.exit(0)', /cannot be loaded: it calls process\.exit/],
    [
      'throws where nobody catches',
      'setTimeout(() => { throw new Error("late") }); await new Promise((done) => setTimeout(done, 300));',
      /cannot be loaded: late/,
    ],
  ])('%s', (_what, code, message) => refused(code, message));
});

describe('code that is not what the manifest says is refused:', () => {
  const but = (change: string): string => `export default { ${good} ${change} }`;
  it.each([
    ['no default', 'export const backend = {}', /does not export a backend by default/],
    ['no mark', 'export default { specVersion: 1 }', /does not export a backend by default/],
    ['another contract', but('specVersion: 2'), /is written for contract 2, this version speaks 1/],
    ['another id', but("id: 'other'"), /calls itself "other"/],
    ['no runtime', but('runtime: {}'), /has no runtime/],
    ['no recipe', but('recipes: []'), /has no recipe/],
    ['claims that are none', but('capabilities: [7]'), /capabilities that are no list of claims/],
    ['a hook that is none', but('adjustPlan: true'), /adjustPlan that is no function/],
    [
      'another target',
      but(`targets: [{ ...${JSON.stringify(target)}, id: 'two' }]`),
      /has the targets two in its code and one in \.\/targets\.json/,
    ],
    [
      'a feature that the file does not have',
      but(`targets: [{ ...${JSON.stringify(target)}, features: ['amx-int8'] }]`),
      /says of target one in its code what \.\/targets\.json does not/,
    ],
  ])('%s', (_what, code, message) => refused(code, message));
});

describe('functions of a backend', () => {
  const model = tinyModel();
  const plan = { version: 1, target: 'one', features: [], recipe: 'latency', valueInfo: 'drop', entries: [] } as Plan;
  const call = async (hook: 'adjustPlan' | 'validate' | 'estimate', body: string): Promise<unknown> => {
    const backend = await load(withHooks(`${hook}(...given) { ${body} }`));
    const one = target as Target;
    if (hook === 'adjustPlan') return backend.adjustPlan?.(plan, model, one);
    return hook === 'validate' ? backend.validate?.(model, one) : backend.estimate?.({} as Node, one);
  };

  it('do what they do', async () => {
    expect(await call('adjustPlan', 'return { ...given[0], recipe: "mine" }')).toMatchObject({ recipe: 'mine' });
    expect(await call('validate', "return [{ severity: 'note', rule: 'a', message: 'b' }]")).toHaveLength(1);
    expect(await call('estimate', 'return undefined')).toBeUndefined();
  });

  it.each([
    ['adjustPlan', 'throw new Error("bad")', /fails \(bad\) in adjustPlan/],
    ['adjustPlan', 'for (;;);', /fails \(it did not end within 0\.5 s\) in adjustPlan/],
    ['adjustPlan', 'process.exit(0)', /fails \(it calls process\.exit\) in adjustPlan/],
    ['adjustPlan', 'return 7', /returns no plan \(the plan: it is not an object\) in adjustPlan/],
    ['adjustPlan', 'return undefined', /returns no plan/],
    ['adjustPlan', 'return Promise.resolve(given[0])', /returns no plan/],
    ['adjustPlan', 'const self = {}; self.self = self; return self', /returns no plan/],
    [
      'adjustPlan',
      'return { ...given[0], entries: [{ id: "x", op: "MatMul", decision: { action: "float", reason: { code: "excluded", text: "" } } }] }',
      /returns a plan of other nodes/,
    ],
    ['adjustPlan', 'given[0].recipe = "mine"; return given[0]', /changes the plan that it was given/],
    [
      'adjustPlan',
      'const [first] = given[1].graph.nodes(); given[1].graph.addOutput(first.outputs[0]); return given[0]',
      /changes the model in adjustPlan/,
    ],
    ['validate', 'return "fine"', /returns no list of diagnostics in validate/],
    ['validate', "return [{ severity: 'fatal', rule: 'a', message: 'b' }]", /returns no list of diagnostics/],
    ['estimate', 'return { flops: NaN, bytes: 1 }', /returns no flops and bytes in estimate/],
    ['estimate', 'for (;;);', /did not end/],
  ] as const)('%s with `%s`', async (hook, body, message) => {
    await expect(call(hook, body)).rejects.toMatchObject({
      code: 'E_BACKEND_INCOMPATIBLE',
      message: expect.stringMatching(message),
    });
  });
});
