import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planOf } from '../../../../tools/testing/quantize-statically.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { Runtime } from '../backend/index.ts';
import type { Plan } from '../plan/index.ts';
import { parseModel } from '../text/index.ts';
import { chooseOperators } from './choose-operators.ts';
import { type ContextOptions, randomData, subjectOf, testContext } from './test-session-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-choose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Next to no work: conversions cost more than the convolution. */
const small = `<ir_version: 8, opset_import: ["": 17]> g (float[1,2,1,1] x) => (y)
  <float[2,2,1,1] w = {1, 2, 3, 4}> { [conv] y = Conv (x, w)  }`;

/** A runtime on which nothing may run. */
const idle: Runtime = {
  ...onnxruntime,
  createSession: () => Promise.reject(new Error('nothing is to be measured')),
};

async function chosen(more: ContextOptions) {
  const calibration = randomData([1, 2, 1, 1], 1);
  const context = testContext({ ...more, options: { calibration, ...more.options } });
  const subject = await subjectOf(parseModel(small), join(folder, 'model.onnx'), context);
  const plan = planOf(subject.model);
  try {
    return { plan, chosen: await chooseOperators(plan, subject, context) };
  } finally {
    subject.close();
  }
}

const written: Plan = { version: 1, target: 'test', features: [], recipe: 'auto', valueInfo: 'keep', entries: [] };
const absent: Runtime = {
  ...idle,
  status: async () => ({ status: 'absent', reason: 'not installed', hint: 'install it' }),
};

describe('chooseOperators', () => {
  it.each([
    ['a recipe that says the mode', { mode: 'static', runtime: idle }],
    ['a target that is elsewhere', { mode: 'auto', runtime: idle, isThisMachine: false }],
    ['a plan that the user wrote', { mode: 'auto', runtime: idle, options: { plan: written } }],
    ['no runtime', { mode: 'auto', runtime: absent }],
  ] satisfies readonly (readonly [string, ContextOptions])[])('measures nothing with %s', async (_what, more) => {
    const { plan, chosen: result } = await chosen(more);
    expect(result).toBe(plan);
    expect(plan.entries[0]?.decision.action).toBe('static');
  });

  it.each([
    ['the first sample', {}],
    ['made-up inputs where there is no data', { options: { calibration: undefined } }],
  ] satisfies readonly (readonly [string, ContextOptions])[])(
    'leaves operators float that are too small to be measured, at the shapes of %s',
    async (_what, more) => {
      const { plan, chosen: result } = await chosen({ mode: 'auto', ...more });
      expect(result.entries).toMatchObject([
        { id: 'conv', decision: { action: 'float', reason: { code: 'no-faster' } } },
      ]);
      // Nothing is stored as integers then, and the plan that was given is not changed.
      expect(result.activations ?? []).toEqual([]);
      expect(plan.entries[0]?.decision.action).toBe('static');
    },
  );

  it('hands on what the runtime throws', async () => {
    await expect(chosen({ mode: 'auto', runtime: idle })).rejects.toThrow('nothing is to be measured');
  });
});
