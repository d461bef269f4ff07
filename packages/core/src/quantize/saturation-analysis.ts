import { constantOf } from '../analysis/index.ts';
import type { RowSample } from '../backend/index.ts';
import { internalError } from '../foundation/index.ts';
import type { Model, Node } from '../ir/index.ts';
import { roundHalfEven } from '../kernels/index.ts';
import type { QuantizationParameters } from '../observe/index.ts';
import { type Decision, nodeIds, type Plan, type WeightScheme } from '../plan/index.ts';
import { largestPair, leastPair } from './saturation.ts';
import { countSaturation, quantizeRows, type SaturationCount, sumCounts } from './saturation-count.ts';
import { type PairSums, pairSumsOf } from './saturation-matrices.ts';
import { fullRangeMatrices } from './saturation-weights.ts';

/** What is known of the activations that a layer multiplies. All of it may be absent: then any activation may come. */
export interface LayerActivations {
  /** How they become integers, in unsigned 8 bits; absent where each run has a range of its own. */
  readonly parameters?: QuantizationParameters | undefined;
  /** The largest value that they can have whatever the input is, where that is known: 1 after Softmax, 6 after Relu6. */
  readonly largestValue?: number | undefined;
  /**
   * Rows that were sampled while calibrating, as the layer multiplies them: for MatMul and Gemm slices along K, for Conv
   * patches of (…kernel, channel) as `convolutionRows` makes them, one list for each group.
   */
  readonly rows?: readonly RowSample[] | undefined;
  /** Where each run has a range of its own: the parameters of the run that each row is from. */
  readonly rowParameters?: readonly QuantizationParameters[] | undefined;
}

/** How a layer with weights of the full range would fare on kernels that add pairs in 16 bits. */
export interface LayerSaturation {
  /** Id of the node in the plan. */
  readonly id: string;
  readonly pairs: PairSums;
  /** The largest unsigned 8-bit activation that can occur. */
  readonly largestActivation: number;
  /** Of the sampled rows; absent where there are none. */
  readonly observed?: SaturationCount | undefined;
}

/**
 * For every layer that the plan gives pair-aware weights: what weights of the full range would do there.
 * @param activations by id of the node; layers that it does not name may get any activation
 * @throws E_NUMERIC_INF, E_NUMERIC_NAN for weights without a range
 */
export function analyzeSaturation(
  model: Model,
  plan: Plan,
  activations: ReadonlyMap<string, LayerActivations> = new Map(),
): LayerSaturation[] {
  const nodes = new Map([...nodeIds(model)].map(([node, id]) => [id, node]));
  return plan.entries.flatMap(({ id, decision }) => {
    const weight = pairAwareWeight(decision);
    if (!weight) return [];
    const node = nodes.get(id);
    if (!node) throw internalError(`The plan names node "${id}", which the model does not have.`);
    return [analyzeLayer(id, node, weight, activations.get(id) ?? {})];
  });
}

function analyzeLayer(id: string, node: Node, weight: WeightScheme, activations: LayerActivations): LayerSaturation {
  const constant = node.inputs[1] && constantOf(node.inputs[1]);
  if (!constant) throw internalError(`${node.op} "${id}" has no constant weight.`);
  const matrices = fullRangeMatrices(node, constant, weight);
  const { parameters, rows = [], rowParameters } = activations;
  const quantization = parameters ?? rowParameters;
  const counts = quantization
    ? rows.flatMap((sample, group) => {
        const matrix = matrices[group];
        return matrix ? [countSaturation(matrix, quantizeRows(sample, quantization))] : [];
      })
    : [];
  return {
    id,
    pairs: pairSumsOf(matrices),
    largestActivation: largestActivation(activations),
    ...(counts.length > 0 && { observed: sumCounts(counts) }),
  };
}

/** 255, but where both the scale and a limit of the values are known. Clipping keeps whatever comes at 255 at most. */
export function largestActivation({ parameters, largestValue }: LayerActivations): number {
  if (!parameters || largestValue === undefined) return 255;
  const steps = roundHalfEven(Math.fround(largestValue / parameters.scale)) + parameters.zeroPoint;
  return Math.max(0, Math.min(255, steps));
}

/** True when no activation that can occur makes a pair pass 16 bits. */
export const isSafeByBound = ({ pairs, largestActivation: a }: LayerSaturation): boolean =>
  a * pairs.positive <= largestPair && -a * pairs.negative >= leastPair;

/**
 * True when no sampled row saturates, and none would if the pair sums were larger by `margin` (0.25: by a quarter). What
 * was not sampled may saturate all the same.
 */
export const isSafeByObservation = ({ observed }: LayerSaturation, margin: number): boolean =>
  observed !== undefined && observed.outputs > 0 && observed.closest * (1 + margin) <= 1;

export interface SaturationRule {
  /**
   * Trust what was observed, with this margin: `isSafeByObservation`. @defaultValue only what is proven by bound
   */
  readonly observedMargin?: number | undefined;
}

/** Ids of the layers whose weights must be pair-aware; the others can keep the full range. */
export function layersThatSaturate(
  analysis: readonly LayerSaturation[],
  { observedMargin }: SaturationRule = {},
): string[] {
  const isSafe = (layer: LayerSaturation): boolean =>
    isSafeByBound(layer) || (observedMargin !== undefined && isSafeByObservation(layer, observedMargin));
  return analysis.filter((layer) => !isSafe(layer)).map(({ id }) => id);
}

/** Gives analysed layers that do not saturate weights of the full range: 0.3 to 0.6 bits more. Pure. */
export function keepFullRange(plan: Plan, analysis: readonly LayerSaturation[], rule: SaturationRule = {}): Plan {
  const saturating = new Set(layersThatSaturate(analysis, rule));
  const safe = new Set(analysis.map(({ id }) => id).filter((id) => !saturating.has(id)));
  const entries = plan.entries.map((entry) =>
    safe.has(entry.id) ? { ...entry, decision: withFullRange(entry.decision) } : entry,
  );
  return { ...plan, entries };
}

function withFullRange(decision: Decision): Decision {
  const weight = pairAwareWeight(decision);
  return weight ? ({ ...decision, weight: { ...weight, range: 'full' } } as Decision) : decision;
}

function pairAwareWeight(decision: Decision): WeightScheme | undefined {
  const weight = 'weight' in decision ? decision.weight : undefined;
  return weight?.elementType === 'int8' && weight.range === 'pair-aware' ? weight : undefined;
}
