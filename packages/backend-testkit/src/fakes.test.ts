import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, type Capability, defineBackend, type Plan, type Runtime, type TargetSpec } from '@optimum/core';
import { afterAll, describe, expect, it } from 'vitest';
import { cpuRecipes, onnxruntime } from '../../runtime-onnxruntime/src/index.ts';
import { backendCases } from './backend-cases.ts';
import type { KitOptions } from './kit-options.ts';
import { runCases } from './run-cases.ts';
import { summary } from './summary.ts';

const claimOf = (id: string): Capability => onnxruntime.capabilities.find((claim) => claim.id === id) as Capability;
/** Holds on every CPU, and is exact on every one. */
const convolution = claimOf('conv-dynamic-u8u8');
const runtime: Runtime = { ...onnxruntime, capabilities: [convolution, claimOf('gather-int8-rows')] };
const target: TargetSpec = {
  id: 'fake-one',
  name: 'Fake One',
  match: [{ architecture: 'x64', vendor: 'Fake' }],
  features: [],
  specificity: 100,
  sources: ['made up for this test'],
};
const [recipe] = cpuRecipes as [(typeof cpuRecipes)[number]];
const unrecorded = { 'fake-one': 'nobody has one' };

/** A sound backend, but for what a test changes. */
const fake = (changes: object = {}): Backend =>
  defineBackend({ specVersion: 1, id: 'fake', runtime, targets: [target], recipes: [recipe], ...changes } as Backend);
const withClaim = (changes: Partial<Capability>): Backend =>
  fake({ capabilities: [{ ...convolution, id: 'fake-claim', ...changes }] });

/** Messages of the cases that fail, among those whose names match. */
async function failuresOf(backend: Backend, names = /^/, options: KitOptions = {}): Promise<string[]> {
  const cases = backendCases(backend, { unrecorded, ...options }).filter(({ name }) => names.test(name));
  const results = await runCases(cases);
  return results.flatMap((result) => (result.status === 'failed' ? [result.message] : []));
}

/** The same runtime, whose sessions are changed. */
function withSessions(change: (session: Awaited<ReturnType<Runtime['createSession']>>) => object): Runtime {
  return {
    ...runtime,
    createSession: async (model, options) => {
      const session = await runtime.createSession(model, options);
      return { ...session, ...change(session) };
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'optimum-fakes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a sound backend passes', async () => {
  const results = await runCases(backendCases(fake(), { unrecorded }));
  expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
  expect(summary(results)).toBe('2 claims: 2 executed. 4 of 4 other cases passed.');
});

interface Fake {
  readonly backend: Backend;
  /** Of the cases that are run. */
  readonly names?: RegExp;
  readonly options?: KitOptions;
  readonly says: RegExp;
}

const fakes: Readonly<Record<string, Fake>> = {
  'speaks another contract version': {
    backend: fake({ specVersion: 2 }),
    says: /is written for contract 2, this version speaks 1/,
  },
  'is not what defineBackend returns': {
    backend: { specVersion: 1, id: 'fake', runtime, targets: [target], recipes: [recipe] },
    says: /is not what defineBackend returns/,
  },
  'names a kernel that never appears': {
    backend: withClaim({ kernels: ['QLinearDream'] }),
    names: /fake-claim/,
    says: /promises the kernel QLinearDream for 12 operators; the optimized graph has 0 \(it holds .*ConvInteger/,
  },
  'says exact and has wrong sums': {
    backend: fake({
      runtime: withSessions((session) => ({
        run: async (feeds: Parameters<typeof session.run>[0]) => {
          const outputs = await session.run(feeds);
          const [name = '', last] = Object.entries(outputs).at(-1) ?? [];
          const sums = new Float32Array(Uint8Array.from(last?.bytes ?? []).buffer);
          // One sum of the extremes is off by one.
          sums[0] = (sums[0] ?? 0) + 1;
          return { ...outputs, [name]: { ...last, bytes: new Uint8Array(sums.buffer) } };
        },
      })),
    }),
    names: /^claim conv/,
    says: /claim conv-dynamic-u8u8 \(dynamic, exact\): Conv .*extremes.*: 1 of \d+ outputs are outside of the bound; number 0 is/,
  },
  'says exact up to the pair rule of a kernel that adds no pairs': {
    backend: fake({ capabilities: [{ ...claimOf('conv-dynamic-u8s8'), exact: 'pair-rule' }] }),
    names: /^claim conv-dynamic-u8s8/,
    says: /claim conv-dynamic-u8s8 \(dynamic, exact under the pair rule\): Conv .*beyond.* are outside of the bound/,
  },
  'lies about granularity': {
    backend: withClaim({ granularity: ['row'] }),
    names: /^capabilities/,
    says: /claim fake-claim says granularity "row", which weights of Conv cannot have/,
  },
  'says a granularity that its kernel does not take': {
    backend: withClaim({ granularity: ['channel'] }),
    names: /fake-claim/,
    says: /claim fake-claim, with weights by channel: a model in memory does not load/,
  },
  'throws in adjustPlan': {
    backend: fake({
      adjustPlan: () => {
        throw new Error('no plan today');
      },
    }),
    names: /^hook/,
    says: /fails \(no plan today\) in adjustPlan/,
  },
  'changes the plan that it is given': {
    backend: fake({
      adjustPlan: (plan: Plan) => {
        (plan as { entries: unknown }).entries = [];
        return plan;
      },
    }),
    names: /^hook/,
    says: /changes the plan that it was given, and does not return one in adjustPlan/,
  },
  'says something else each time': {
    backend: fake({ estimate: () => ({ flops: Math.random(), bytes: 1 }) }),
    names: /^hook/,
    says: /estimate says something else when asked again/,
  },
  'hangs in validate': {
    backend: fake({
      validate: () => {
        for (;;);
      },
    }),
    names: /^hook/,
    options: { timeLimitMs: 300 },
    says: /did not end within 0.3 s\) in validate/,
  },
  'hangs in its runtime': {
    backend: fake({ runtime: withSessions(() => ({ run: () => new Promise(() => undefined) })) }),
    names: /^claim gather/,
    options: { timeLimitMs: 3000 },
    says: /^claim gather-int8-rows did not end within 3 s/,
  },
  'floods the log': {
    backend: fake({
      validate: () => {
        for (let line = 0; line < 1000; line++) console.log('validating the very long line of a log');
        return [];
      },
    }),
    names: /^hook/,
    says: /validate prints \d{5} characters/,
  },
  'floods the report': {
    backend: fake({
      validate: () => Array.from({ length: 5000 }, () => ({ severity: 'note', rule: 'fake', message: 'again' })),
    }),
    names: /^hook/,
    says: /validate returns 5000 findings/,
  },
  'has a target that matches everything': {
    backend: fake({ targets: [{ ...target, match: [{}] }] }),
    names: /^target/,
    says: /target fake-one has a match rule \(number 1\) that matches every architecture/,
  },
  'has a device that matches two makers': {
    backend: fake({ targets: [{ ...target, match: [{ architecture: 'x64', flags: ['avx2'] }] }] }),
    names: /^target/,
    says: /matches CPUs of GenuineIntel and AuthenticAMD, though it is one device/,
  },
  'has a target that nobody has seen': {
    backend: fake(),
    names: /^target/,
    options: { unrecorded: {} },
    says: /recognises none of the 0 machines/,
  },
  'names an unknown feature in a claim': {
    backend: withClaim({ requires: [['avx1024' as 'avx2']] }),
    names: /^capabilities/,
    says: /claim fake-claim names the unknown feature avx1024/,
  },
  'names an unknown feature in a target': {
    backend: fake({ targets: [{ ...target, features: ['avx1024'] }] }),
    says: /target fake-one has the unknown feature "avx1024"/,
  },
  'has two claims of one id': {
    backend: fake({ capabilities: [convolution, { ...convolution, speed: 2 }] }),
    names: /^capabilities/,
    says: /two of the backend's own claims have the id conv-dynamic-u8u8/,
  },
  'has a recipe with an unknown operator': {
    backend: fake({ recipes: [{ ...recipe, operators: ['MatMull'] }] }),
    names: /^recipe/,
    says: /recipe latency names MatMull, which no planner knows/,
  },
  'has a recipe of a mode that it claims nothing for': {
    backend: fake({ recipes: [{ ...recipe, mode: 'static' }] }),
    names: /^recipe/,
    says: /is of mode static, but no claim is about its operators in mode static/,
  },
  'has another id in its manifest': {
    backend: fake(),
    options: { folder: join(folder, 'other-id') },
    says: /Backend other .*calls itself "fake" in its code/,
  },
  'has other targets in its manifest': {
    backend: fake(),
    options: { folder: join(folder, 'other-targets') },
    says: /has the targets fake-one in its code and none in .\/targets.json/,
  },
  'expects a failure of what passes': {
    backend: fake(),
    names: /^claim gather/,
    options: { expectedFailures: { 'claim gather-int8-rows': 'the lookup is off' } },
    says: /claim gather-int8-rows passes, though it must not \(known to fail: the lookup is off\)/,
  },
  'expects failures of nothing, and without a reason': {
    backend: fake(),
    names: /^expected/,
    options: { expectedFailures: { 'claim nothing': 'so it is', contract: ' ' } },
    says: /names "claim nothing", which is no case; "contract" is expected to fail without a reason/,
  },
  'says of a claim that it does not hold, and it does': {
    backend: fake({
      capabilities: [
        { ...convolution, id: 'fake-pairs', exact: 'pair-rule' },
        { ...convolution, id: 'fake-exact', requires: [['amx-int8', 'sve2']] },
      ],
    }),
    names: /^claim fake-exact/,
    says: /claim fake-exact passes, though it must not \(this CPU lacks amx-int8 and sve2\)/,
  },
};

describe('a backend that is broken fails the kit, which says why', () => {
  for (const [name, id, targets] of [
    ['other-id', 'other', [target]],
    ['other-targets', 'fake', []],
  ] as const) {
    const place = join(folder, name);
    writeFiles(place, {
      'package.json': { name, optimum: { backend: { id, spec: 1, entry: './index.js', targets: './targets.json' } } },
      'targets.json': targets,
    });
  }

  it.each(Object.entries(fakes))('%s', async (_, { backend, names, options, says }) => {
    const failures = await failuresOf(backend, names, options);
    expect(failures.join('\n')).toMatch(says);
  });
});

function writeFiles(place: string, files: Readonly<Record<string, unknown>>): void {
  mkdirSync(place, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), JSON.stringify(content));
}
