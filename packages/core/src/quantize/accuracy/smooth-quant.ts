import { inferTypes, type TypeInference } from '../../analysis/index.ts';
import { internalError } from '../../foundation/index.ts';
import { addNode, float32Tensor, type Model, type Node, type Value } from '../../ir/index.ts';
import type { ObservationRequest } from '../../observe/index.ts';
import { valueIds } from '../../plan/index.ts';
import { type AppliedAlgorithm, left, type Outcome, summarise } from './applied-algorithm.ts';
import { defaultGrid, type WeightGrid } from './emulate-product.ts';
import { findScaling, readsShape, type Scaling } from './find-scaling.ts';
import { type Matrix, pickColumns, pickRows, spread } from './matrix.ts';
import { type ChannelRanges, channelRanges, type Observed, sampledRowCount, sampledRows } from './observed.ts';
import { isFiniteMatrix, isOnlyReader, notFinite, type Product, productsOf, readWeight } from './product.ts';
import { isAlongChannels, scaleInputs, scalePlace } from './scale-channels.ts';
import { chooseSmoothing, type Smoothing } from './smooth-scales.ts';

export interface SmoothQuantOptions {
  /** How the weights will be stored. @defaultValue int8 by channel, full range */
  readonly grid?: WeightGrid | undefined;
  /** Whether the range of an activation is taken from each run or from all of the calibration. @defaultValue 'dynamic' */
  readonly activations?: 'dynamic' | 'static' | undefined;
}

/** Rows and columns by which the error of a group is measured: a sample tells good factors from bad ones. */
const measuredRows = 64;
const measuredColumns = 128;
/** The error must fall below this part of what it was: where factors cost nothing, and where they cost a Mul per run. */
const worthFolding = 0.95;
const worthMultiplying = 0.5;

/** Products of one source, which share their factors. */
interface Group {
  readonly source: Value;
  readonly channels: number;
  readonly products: readonly Product[];
}

/** What has to be observed for `smoothQuant`: ranges by channel and rows of every tensor that products read. */
export function smoothQuantRequests(model: Model): ObservationRequest[] {
  const ids = valueIds(model);
  return groupsOf(model).flatMap(({ source }) => {
    const tensor = ids.get(source);
    return tensor === undefined ? [] : [{ tensor, detail: 'range', channelAxis: -1, rows: sampledRowCount } as const];
  });
}

/**
 * Moves outliers of activations into the weights that read them: divides each channel by a factor, and multiplies the
 * weights by it. The factors go into what makes the activation (gain and bias of a normalization, the product before)
 * where nothing else sees it; else one Mul is put in front of the products, if the error falls by half at least. What
 * the model computes stays, but for float rounding. Changes `model`; large weights are multiplied when they are read.
 * @source Xiao et al. 2022, SmoothQuant, arXiv 2211.10438
 */
export function smoothQuant(model: Model, observed: Observed, options: SmoothQuantOptions = {}): AppliedAlgorithm {
  const ids = valueIds(model);
  const { typeOf } = inferTypes(model);
  const outcomes = groupsOf(model).map((group) =>
    smoothGroup(group, ids.get(group.source) ?? '', { observed, options, typeOf }),
  );
  const alphas = outcomes.flatMap(({ alpha }) => alpha ?? []);
  const span = `alpha ${Math.min(...alphas).toFixed(2)} to ${Math.max(...alphas).toFixed(2)}`;
  return summarise('smooth-quant', outcomes, alphas.length > 0 ? [span] : []);
}

/** In the order in which their first products stand. */
function groupsOf(model: Model): Group[] {
  const groups = new Map<Value, Product[]>();
  for (const product of productsOf(model)) {
    const group = groups.get(product.source) ?? [];
    groups.set(product.source, group);
    group.push(product);
  }
  return [...groups].map(([source, products]) => ({ source, products, channels: (products[0] as Product).inputs }));
}

interface Setting {
  readonly observed: Observed;
  readonly options: SmoothQuantOptions;
  readonly typeOf: TypeInference['typeOf'];
}

type SmoothOutcome = Outcome & { readonly alpha?: number };

function smoothGroup(group: Group, id: string, { observed, options, typeOf }: Setting): SmoothOutcome {
  if (!group.products.every(({ weight }) => isOnlyReader(weight))) return left('a weight that others read too');
  const ranges = channelRanges(observed, id, group.channels);
  const rows = sampledRows(observed, id, group.channels);
  if (!ranges || !rows) return left('its channels were not observed');
  const smoothing = smoothingOf(group, ranges, rows, options);
  if (!smoothing) return left(notFinite);
  const fold = foldOf(group, typeOf);
  const { errorBefore, errorAfter, alpha, scales } = smoothing;
  if (!(errorAfter < errorBefore * (fold ? worthFolding : worthMultiplying)))
    return left(fold ? 'nothing to gain' : 'too little to gain for a Mul of its own');
  if (fold) applyFold(fold, scales);
  else multiplyInFront(group, scales);
  for (const { node } of group.products) scaleInputs(node, scales);
  const where = fold ? `folded into ${fold.into}` : 'by a Mul of its own';
  return { kind: 'applied', how: where, errorBefore, errorAfter, alpha };
}

/** `undefined` when a weight holds numbers that are none. */
function smoothingOf(
  { channels, products }: Group,
  ranges: ChannelRanges,
  rows: Matrix,
  { grid = defaultGrid, activations = 'dynamic' }: SmoothQuantOptions,
): Smoothing | undefined {
  const weightMax = new Float64Array(channels);
  const weights: Matrix[] = [];
  // One weight is in memory at a time.
  for (const product of products) {
    const weight = readWeight(product);
    if (!isFiniteMatrix(weight)) return undefined;
    raiseToRows(weightMax, weight);
    weights.push(pickColumns(weight, spread(weight.columns, measuredColumns)));
  }
  return chooseSmoothing({
    rows: pickRows(rows, spread(rows.rows, measuredRows)),
    quantized: activations === 'static' ? ranges : rangesOf(rows),
    activationMax: ranges.min.map((min, channel) => Math.max(Math.abs(min), Math.abs(ranges.max[channel] as number))),
    weightMax,
    weights,
    grid,
  });
}

/** Raises each number to the largest magnitude of its row. */
function raiseToRows(most: Float64Array, { columns, values }: Matrix): void {
  for (let index = 0; index < values.length; index++) {
    const row = Math.floor(index / columns);
    const magnitude = Math.abs(values[index] as number);
    if (magnitude > (most[row] as number)) most[row] = magnitude;
  }
}

function rangesOf({ columns, values }: Matrix): ChannelRanges {
  const min = new Array<number>(columns).fill(Number.POSITIVE_INFINITY);
  const max = new Array<number>(columns).fill(Number.NEGATIVE_INFINITY);
  for (const [index, value] of values.entries()) {
    const channel = index % columns;
    min[channel] = Math.min(min[channel] as number, value);
    max[channel] = Math.max(max[channel] as number, value);
  }
  return { min, max };
}

/** Where the factors go at no cost: upstream, and back out in constants of others that read the source. */
interface Fold extends Scaling {
  /** Mul by constants along the channels that read the source too. */
  readonly restoring: readonly { readonly node: Node; readonly input: number }[];
}

function foldOf({ source, channels, products }: Group, typeOf: TypeInference['typeOf']): Fold | undefined {
  const inGroup = new Set(products.map(({ node }) => node));
  // Gemm may read its source as its bias too.
  const isElsewhere = [...source.uses].some((use) => use.kind === 'input' && inGroup.has(use.node) && use.index !== 0);
  if (source.isPublic || isElsewhere) return undefined;
  const others = source.consumers.filter((node) => !inGroup.has(node) && !readsShape(node));
  const restoring = others.flatMap((node) => {
    const input = node.is('Mul') ? node.inputs.findIndex((value) => isAlongChannels(value, channels)) : -1;
    return input < 0 ? [] : [{ node, input }];
  });
  if (restoring.length < others.length) return undefined;
  const scaling = findScaling(source, channels, typeOf);
  return scaling && { ...scaling, restoring };
}

function applyFold({ places, restoring }: Fold, scales: Float64Array): void {
  const inverse = scales.map((scale) => 1 / scale);
  for (const place of places) scalePlace(place, inverse);
  for (const { node, input } of restoring) scalePlace({ kind: 'constant', node, input }, scales);
}

/** One Mul for all products, behind what makes their source. */
function multiplyInFront({ source, products }: Group, scales: Float64Array): void {
  const { producer, origin } = source;
  const graph = producer ? producer.graph : origin.kind === 'input' ? origin.graph : undefined;
  if (!graph) throw internalError(`"${source.name ?? ''}" comes from nowhere.`);
  const named = (suffix: string): string | undefined => source.name && `${source.name}_${suffix}`;
  const inverse = float32Tensor(
    [scales.length],
    scales.map((scale) => 1 / scale),
  );
  const inputs = [source, graph.addInitializer(inverse, named('smoothing'))];
  const position = producer ? producer.next : graph.firstNode;
  const [smoothed] = addNode(
    graph,
    'Mul',
    { inputs, name: named('smoothed'), outputTypes: [source.type] },
    position,
  ).outputs;
  for (const { node } of products) node.setInput(0, smoothed);
}
