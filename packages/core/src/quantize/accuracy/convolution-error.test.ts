import { describe, expect, it } from 'vitest';
import {
  everyClaim,
  floats,
  planOf,
  type Quantized,
  quantizeStatically,
  relativeDistance,
  type StaticOptions,
  staticRecipe,
} from '../../../../../tools/testing/quantize-statically.ts';
import type { TensorData } from '../../backend/index.ts';
import { seededRandom } from '../../foundation/index.ts';
import { type Model, verify } from '../../ir/index.ts';
import type { Plan } from '../../plan/index.ts';
import { parseModel } from '../../text/index.ts';
import type { AppliedAlgorithm } from './applied-algorithm.ts';
import { biasCorrection } from './bias-correction.ts';
import { addConvolutionErrors, convolutionErrorRequests } from './convolution-error.ts';
import { type Feeds, type MakeModel, modelOf, observe, runModel } from './test-layers.ts';

interface Corrected {
  readonly model: Model;
  readonly report: AppliedAlgorithm;
}

/** Corrects biases by what the runtime shows of these inputs: a new model every time. */
async function correctionOf(make: MakeModel, feeds: readonly Feeds[], plan?: Plan): Promise<() => Corrected> {
  const tapped = make();
  addConvolutionErrors(tapped, { plan });
  expect(verify(tapped)).toEqual([]);
  const observed = await observe(tapped, convolutionErrorRequests(make(), { plan }), feeds);
  return () => {
    const model = make();
    const report = biasCorrection(model, observed, { plan });
    expect(verify(model)).toEqual([]);
    return { model, report };
  };
}

const corrected = async (make: MakeModel, feeds: readonly Feeds[], plan?: Plan): Promise<Corrected> =>
  (await correctionOf(make, feeds, plan))();

/** Images whose channels are constant. */
function constantImages(dims: readonly [number, number, ...number[]], values: readonly number[]): Feeds {
  const size = dims.slice(2).reduce((product, dim) => product * dim, 1);
  const image = values.flatMap((value) => Array<number>(size).fill(value));
  const numbers = Float32Array.from(Array(dims[0]).fill(image).flat());
  return { x: { elementType: 'float32', dims, bytes: new Uint8Array(numbers.buffer) } };
}

const biasOf = (model: Model): number[] => {
  const [conv] = [...model.graph.nodes()].filter((node) => node.is('Conv'));
  const { origin } = conv?.inputs[2] ?? {};
  return origin?.kind === 'initializer' ? [...new Float32Array(Uint8Array.from(origin.tensor.bytes()).buffer)] : [];
};

describe('biasCorrection of convolutions', () => {
  // By hand: 0.3 becomes 38/127 = 0.29921260 on the grid of 1, off by 0.0007874; 0.6 is off by twice that on the grid of 2.
  // The second tap sees padding at one of nine places, and so eight ninths of its channel's mean.
  const part = 8 / 9;

  it.each([
    ['two axes', 'float[b,2,1,9] x', 'float[2,1,1,2]', 'pads = [0,0,0,1], ', [3, 2, 1, 9]],
    ['one axis', 'float[b,2,9] x', 'float[2,1,2]', 'pads = [0,1], ', [3, 2, 9]],
    ['padding by name', 'float[b,2,9] x', 'float[2,1,2]', 'auto_pad = "SAME_UPPER", ', [3, 2, 9]],
  ] as const)('sees padding for what it is, group by group: %s', async (_what, input, filters, padding, dims) => {
    const make = modelOf(
      `(${input}) => (y) <${filters} w = {1, 0.3, 2, 0.6}, float[2] c = {1, 1}> { y = Conv <${padding}group = 2> (x, w, c) }`,
    );
    const { model, report } = await corrected(make, [constantImages(dims, [2, 10])]);
    const [first, second] = biasOf(model);
    expect(first).toBeCloseTo(1 + 0.0007874 * 2 * part, 6);
    expect(second).toBeCloseTo(1 + 0.0015748 * 10 * part, 5);
    expect(report).toMatchObject({ applied: 1, considered: 1, notes: ['1 × shifted the bias of Conv'] });
    expect(report.errorAfter).toBeLessThan(report.errorBefore / 100);
  });

  it('leaves what the model computes, and knows what is inside branches', async () => {
    const make = modelOf(
      `(float[b,1,4] x, bool c) => (y) <float[1,1,2] w = {1, 0.3}, float[1] d = {1}>
        { y = If (c) <then_branch = t () => (float[b,1,3] a) { a = Conv (x, w, d) }, else_branch = e () => (float[b,1,3] n) { m = Conv (x, w)  n = Neg (m) }> }`,
    );
    const feeds = [1, 0].map((taken) => ({
      ...constantImages([2, 1, 4], [3]),
      c: { elementType: 'bool' as const, dims: [], bytes: Uint8Array.of(taken) },
    }));
    const tapped = make();
    addConvolutionErrors(tapped);
    expect(await runModel(tapped, feeds)).toEqual(await runModel(make(), feeds));
    const { report } = await corrected(make, feeds);
    expect(report.notes).toEqual(['1 × shifted the bias of Conv', '1 × left: no constant bias']);
  });

  it.each([
    ['nothing was observed', '{1, 0.3}', 1, 'its output error was not observed'],
    ['there is only one image', '{1, 0.3}', 1, 'its output error was not observed'],
    ['a filter is not a number', '{1, NaN}', 2, 'its output error was not observed'],
    ['the filters are exact', '{1, -1}', 2, 'no gain on images that were held out'],
  ])('leaves a layer where %s', async (what, filters, images, why) => {
    const make = modelOf(
      `(float[b,1,4] x) => (y) <float[1,1,2] w = ${filters}, float[1] c = {1}> { y = Conv (x, w, c) }`,
    );
    const feeds = what === 'nothing was observed' ? [] : [constantImages([images, 1, 4], [3])];
    expect((await corrected(make, feeds)).report.notes).toEqual([`1 × left: ${why}`]);
  });

  it('looks only at what the plan makes integer', async () => {
    const make = modelOf(
      '(float[b,1,4] x) => (y) <float[1,1,2] w = {1, 0.3}, float[1] c = {1}> { y = Conv (x, w, c) }',
    );
    const plan = { ...planOf(make()), entries: [] };
    expect(convolutionErrorRequests(make(), { plan })).toEqual([]);
    expect((await corrected(make, [constantImages([2, 1, 4], [3])], plan)).report.considered).toBe(0);
  });
});

/** Channels that are scaled up in one convolution and down again in the next: the function is that of even weights. */
function unevenModel(): Model {
  const random = seededRandom(7);
  const numbers = (count: number, factorOf: (index: number) => number): string =>
    Array.from({ length: count }, (_, index) => (random.normal() * 0.3 * factorOf(index)).toPrecision(6)).join();
  const scale = (channel: number): number => (channel % 4 === 1 ? 32 : 1);
  const first = numbers(8 * 3 * 9, (index) => scale(Math.floor(index / 27)));
  const second = numbers(4 * 4 * 9, (index) => 1 / scale(Math.floor(index / 9) % 4));
  return parseModel(`<ir_version: 8, opset_import: ["": 17]> g (float[b,3,8,6] x) => (float[b,4,4,3] y)
    <float[8,3,3,3] w = {${first}}, float[8] c = {${numbers(8, scale)}}, float[4,4,3,3] v = {${second}}, float[4] d = {2, 2, -2, 2}>
    { h = Conv <pads = [1,1,1,1]> (x, w, c)  r = Relu (h)  y = Conv <group = 2, pads = [1,1,1,1], strides = [2,2]> (r, v, d) }`);
}

/** Images that are brighter than black, as images are. */
const images = (count: number, seed: number): Feeds[] =>
  Array.from({ length: count }, (_, sample) => {
    const random = seededRandom(seed + sample);
    const values = Float32Array.from({ length: 3 * 8 * 6 }, () => random.next());
    return { x: { elementType: 'float32', dims: [1, 3, 8, 6], bytes: new Uint8Array(values.buffer) } };
  });

/** One scale for a whole weight, so that rounding costs most where channels are uneven. */
const oneScale: StaticOptions = {
  capabilities: everyClaim.map((claim) => ({ ...claim, granularity: ['tensor'] })),
  recipe: { ...staticRecipe, weights: 'int8-tensor' },
};

/** Mean over all images and places of each channel of [1, 4, …]. */
function channelMeans(outputs: Quantized['outputs']): number[] {
  const images = outputs.map(({ y }) => floats(y as TensorData));
  return [0, 1, 2, 3].map((channel) => {
    const values = images.flatMap((image) => [
      ...image.subarray((channel * image.length) / 4, ((channel + 1) * image.length) / 4),
    ]);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

describe('biasCorrection of a quantized model of convolutions', () => {
  it('shrinks the mean output error of the channels on images that it never saw', async () => {
    const correct = await correctionOf(unevenModel, images(24, 1), planOf(unevenModel(), oneScale));
    expect(correct().report).toMatchObject({ applied: 2, considered: 2 });
    const unseen = images(48, 1000);
    const before = await quantizeStatically(unevenModel, unseen, oneScale);
    const after = await quantizeStatically(() => correct().model, unseen, oneScale);
    const exact = channelMeans(before.expected);
    const meanError = (outputs: Quantized['outputs']): number =>
      Math.hypot(...channelMeans(outputs).map((mean, channel) => mean - (exact[channel] as number)));
    expect(meanError(after.outputs)).toBeLessThan(meanError(before.outputs) / 10);
    expect(relativeDistance(after.outputs, before.expected)).toBeLessThan(before.relativeError);
  });
});
