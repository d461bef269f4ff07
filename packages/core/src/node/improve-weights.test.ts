import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planOf } from '../../../../tools/testing/quantize-statically.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { Runtime } from '../backend/index.ts';
import { seededRandom } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import { observe } from './calibrate-plan.ts';
import type { AlgorithmSettings } from './calibration-options.ts';
import { improveWeights, weightRequests } from './improve-weights.ts';
import { randomData, subjectOf, testContext } from './test-session-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-improve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = seededRandom(3);
const numbers = (count: number): string => Array.from({ length: count }, () => random.normal().toFixed(4)).join();

/** A convolution of two filters, and a product of its rows, both with a bias; numbers in it have a mean. */
const text = `<ir_version: 8, opset_import: ["": 17]> g (float[b,1,8,8] x) => (float[b,2,8,6] y)
  <float one = {1}, float[2,1,3,3] w = {${numbers(18)}}, float[2] c = {3, -3}, float[8,6] v = {${numbers(48)}}, float[6] d = {4,4,4,4,4,4}>
  { s = Add (x, one)  [conv] h = Conv <pads = [1,1,1,1]> (s, w, c)  r = Relu (h)  [product] m = MatMul (r, v)  y = Add (m, d) }`;
const convolution = `<ir_version: 8, opset_import: ["": 17]> g (float[b,1,8,8] x) => (float[b,2,8,8] y)
  <float one = {1}, float[2,1,3,3] w = {${numbers(18)}}, float[2] c = {3, -3}> { s = Add (x, one)  [conv] y = Conv <pads = [1,1,1,1]> (s, w, c) }`;

/** How many sessions were made. */
function counting() {
  let sessions = 0;
  const runtime: Runtime = {
    ...onnxruntime,
    createSession(...args) {
      sessions++;
      return onnxruntime.createSession(...args);
    },
  };
  return { runtime, sessions: () => sessions };
}

async function improved(make: string, algorithms: AlgorithmSettings, hasData = true) {
  const { runtime, sessions } = counting();
  const calibration = randomData([2, 1, 8, 8], 12);
  const context = testContext({ runtime, options: { algorithms, ...(hasData && { calibration }) } });
  const subject = await subjectOf(parseModel(make), join(folder, 'model.onnx'), context);
  try {
    const before = printModel(subject.model);
    const weights = await improveWeights(planOf(subject.model), subject, undefined, context);
    return { ...weights, sessions: sessions(), isChanged: printModel(subject.model) !== before };
  } finally {
    subject.close();
  }
}

describe('improveWeights', () => {
  it('runs nothing when nothing is asked for', async () => {
    expect(await improved(text, {})).toEqual({ algorithms: [], notes: [], sessions: 0, isChanged: false });
  });

  it('corrects biases of products and of convolutions, in two runs', async () => {
    const { algorithms, sessions, isChanged, overrides, notes } = await improved(text, { biasCorrection: true });
    expect(algorithms).toMatchObject([{ id: 'bias-correction', considered: 2, applied: 2 }]);
    expect(algorithms[0]?.errorAfter).toBeLessThan(algorithms[0]?.errorBefore ?? 0);
    expect([sessions, isChanged, overrides, notes]).toEqual([2, true, undefined, []]);
  });

  it('needs one run where there are only convolutions', async () => {
    const { algorithms, sessions } = await improved(convolution, { biasCorrection: true });
    expect(algorithms).toMatchObject([{ id: 'bias-correction', considered: 1, applied: 1 }]);
    expect(sessions).toBe(1);
  });

  it('says so when inputs were made up', async () => {
    const { notes, algorithms } = await improved(convolution, { biasCorrection: true }, false);
    expect(algorithms).toHaveLength(1);
    expect(notes).toEqual(['weights were improved on made-up inputs: give --data']);
  });

  it('rounds before it corrects, and uses what calibration saw', async () => {
    const { runtime, sessions } = counting();
    const algorithms = { adaround: true, biasCorrection: true };
    const context = testContext({ runtime, options: { algorithms, calibration: randomData([2, 1, 8, 8], 12) } });
    const subject = await subjectOf(parseModel(text), join(folder, 'model.onnx'), context);
    const plan = planOf(subject.model);
    const requests = weightRequests(subject.model, context);
    expect(requests.map(({ tensor }) => tensor)).toEqual(['r', 'r']);
    const before = await observe(subject, requests, context);
    const weights = await improveWeights(plan, subject, before, context);
    subject.close();
    expect(weights.algorithms.map(({ id }) => id)).toEqual(['adaround', 'bias-correction']);
    expect(weights.overrides?.size).toBe(1);
    // One for what is given here, one for the errors of convolutions.
    expect(sessions()).toBe(2);
  });

  it('asks for nothing of a model without products', () => {
    const model: Model = parseModel(convolution);
    expect(weightRequests(model, testContext({ options: { algorithms: { biasCorrection: true } } }))).toEqual([]);
  });
});
