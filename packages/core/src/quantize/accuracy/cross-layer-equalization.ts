import type { Model, Node } from '../../ir/index.ts';
import { dropUnread } from '../../passes/drop-unread.ts';
import { scaleWeight } from '../../passes/scaled-weight.ts';
import { type AppliedAlgorithm, left, type Outcome, summarise } from './applied-algorithm.ts';
import { defaultGrid, type WeightGrid } from './emulate-product.ts';
import { type EqualizationPair, equalizationPairs } from './equalization-pairs.ts';
import { estimatePairError } from './estimate-pair-error.ts';
import { type Layer, type LayerFactors, layerStatistics } from './layer-statistics.ts';
import { notFinite } from './product.ts';
import { scalePlace } from './scale-channels.ts';

export interface CrossLayerEqualizationOptions {
  /** How the weights will be stored. @defaultValue int8 by channel, full range */
  readonly grid?: WeightGrid | undefined;
}

/** The estimated error must fall below this part of what it was. */
const worthwhile = 0.95;
/** No channel is moved by more than this. */
const largestScale = 2 ** 12;
/** A chain of layers has settled when no factor moves by more than this part, or after so many rounds. */
const settled = 1e-3;
const mostRounds = 20;

/** A pair, and the factors between its layers: the outputs of the first are divided by them. */
interface Balance extends EqualizationPair {
  scales: Float64Array;
}

/**
 * Makes the channels between two layers equally large: with s = √(r1 / r2) of the ranges of a channel in both weights,
 * W1 / s, b1 / s and W2 · s compute the same, where only positively homogeneous operators lie between. Needs no data.
 * Chains of layers are balanced until they settle. Pairs that would not gain, by an estimate that takes activations to
 * be as large as the weights that make them, stay as they are. Changes `model`; large weights are multiplied when they
 * are read.
 * @source Nagel et al. 2019, Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv 1906.04721,
 * section 4.1
 */
export function crossLayerEqualization(model: Model, options: CrossLayerEqualizationOptions = {}): AppliedAlgorithm {
  const grid = options.grid ?? defaultGrid;
  const balances: Balance[] = equalizationPairs(model).map((pair) => ({ ...pair, scales: ones(pair.first.outputs) }));
  balance(balances);
  const outcomes = judge(balances, grid);
  apply(balances);
  const notes = outcomes.length > 0 ? ['errors are estimated, without data'] : [];
  return summarise('cross-layer-equalization', outcomes, notes);
}

const ones = (count: number): Float64Array => new Float64Array(count).fill(1);

/** Only pairs whose layers changed since are looked at again. */
function balance(balances: readonly Balance[]): void {
  let pending = new Set(balances);
  for (let round = 0; round < mostRounds && pending.size > 0; round++) {
    const moved = new Set<Node>();
    for (const one of pending) {
      if (rescale(one, balances) <= settled) continue;
      moved.add(one.first.node).add(one.second.node);
    }
    // A pair on its own is balanced by one step.
    pending = new Set(balances.filter(({ first, second }) => touches(first, second, moved, balances)));
  }
}

const touches = (first: Layer, second: Layer, moved: ReadonlySet<Node>, balances: readonly Balance[]): boolean =>
  balances.some(
    (other) =>
      (other.second.node === first.node || other.first.node === second.node) &&
      (moved.has(other.first.node) || moved.has(other.second.node)),
  );

/** One step of a pair. Returns the largest relative move. */
function rescale(one: Balance, balances: readonly Balance[]): number {
  const before = layerStatistics(one.first, factorsOf(one.first, balances)).outputMax;
  const after = layerStatistics(one.second, factorsOf(one.second, balances)).inputMax;
  const old = one.scales;
  one.scales = old.map((scale, channel) => {
    const [r1, r2] = [before[channel] as number, after[channel] as number];
    const isLive = r1 > 0 && r2 > 0 && Number.isFinite(r1) && Number.isFinite(r2);
    return isLive ? Math.max(1 / largestScale, Math.min(largestScale, scale * Math.sqrt(r1 / r2))) : scale;
  });
  return one.scales.reduce((most, scale, channel) => Math.max(most, Math.abs(scale / (old[channel] as number) - 1)), 0);
}

/** What all pairs together make of a layer. */
function factorsOf({ node, inputs, outputs }: Layer, balances: readonly Balance[]): LayerFactors {
  return {
    inputs: balances.find(({ second }) => second.node === node)?.scales ?? ones(inputs),
    outputs: balances.find(({ first }) => first.node === node)?.scales.map((scale) => 1 / scale) ?? ones(outputs),
  };
}

/** Takes the factors of pairs that do not gain back. */
function judge(balances: readonly Balance[], grid: WeightGrid): Outcome[] {
  const estimate = ({ first, second }: Balance, factors: (layer: Layer) => LayerFactors): number =>
    estimatePairError(
      first,
      second,
      layerStatistics(first, factors(first)),
      layerStatistics(second, factors(second)),
      grid,
    );
  return balances.map((one) => {
    const errorBefore = estimate(one, ({ inputs, outputs }) => ({ inputs: ones(inputs), outputs: ones(outputs) }));
    const errorAfter = estimate(one, (layer) => factorsOf(layer, balances));
    if (errorAfter < worthwhile * errorBefore) {
      const how = `equalized ${one.first.node.op} and ${one.second.node.op}`;
      return { kind: 'applied', how, errorBefore, errorAfter };
    }
    one.scales = ones(one.first.outputs);
    return left(Number.isNaN(errorBefore) ? notFinite : 'nothing to gain');
  });
}

function apply(balances: readonly Balance[]): void {
  const layers = new Map(balances.flatMap(({ first, second }) => [first, second].map((layer) => [layer.node, layer])));
  for (const layer of layers.values()) scaleLayer(layer, factorsOf(layer, balances));
  for (const { biases, scales } of balances) {
    const inverse = scales.map((scale) => 1 / scale);
    if (inverse.some((factor) => factor !== 1)) for (const place of biases) scalePlace(place, inverse);
  }
}

function scaleLayer({ node, weight, inputOf, outputOf }: Layer, { inputs, outputs }: LayerFactors): void {
  const isNeutral = [inputs, outputs].every((factors) => Array.from(factors).every((factor) => factor === 1));
  if (isNeutral) return;
  const before = node.inputs[1];
  scaleWeight(
    node,
    weight,
    (first, second) => (inputs[inputOf(first, second)] as number) * (outputs[outputOf(first, second)] as number),
  );
  dropUnread([before]);
}
