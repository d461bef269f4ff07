import { constantOf } from '../../analysis/index.ts';
import { addNode, float32Tensor, intAttribute, type Node, type Tensor, tensorOf, type Value } from '../../ir/index.ts';
import { carriedAlong } from './carried-along.ts';
import { groupBy } from './group-by.ts';
import { type IntegerProduct, integerProducts } from './integer-products.ts';
import { errorAgainst7Bits, type PairAwareGrid, pairAwareGrid } from './pair-aware-grid.ts';
import { graphOf, recentre } from './recentre.ts';
import { findRecentreGroup } from './recentre-group.ts';
import { removeIfUnread } from './remove-if-unread.ts';
import type { RetargetScope, Rewrite } from './rewrite.ts';
import { byteNumbersOf } from './small-integers.ts';
import { gainOf, kernelFor } from './target-kernels.ts';
import { type BiasPlace, biasPlaceOf, rescaleBias, scaledBy } from './weight-bias-place.ts';
import { channelCount, layoutOf, type WeightLayout } from './weight-layout.ts';
import { type ScalePlace, scalePlaceOf } from './weight-scale-place.ts';

/** Everything that changes when a product gets weights on another grid. */
interface Places {
  readonly product: IntegerProduct;
  readonly layout: WeightLayout;
  readonly scale: ScalePlace;
  readonly bias: BiasPlace | undefined;
}

/**
 * For targets that add pairs of u8 × s8 products in 16 bits: integers that may saturate there are put on a coarser grid,
 * channel by channel, until no pair can. Unsigned weights become such weights where that is faster and no worse than 7
 * bits. Signed weights whose scale cannot be given by channel become unsigned: exact, at the speed of those.
 * @source research: avx2.md sections 2, 3 and 6
 */
export const makePairAware: Rewrite = (scope) => {
  const products = integerProducts(scope.model).filter((product) => isConcerned(product, scope));
  const opset = scope.model.opset() ?? 1;
  const stuck: { readonly product: IntegerProduct; readonly reason: string }[] = [];
  for (const readers of groupBy(products, ({ stored }) => stored?.root).values()) {
    const grids = new Map<string, SharedGrid>();
    for (const product of readers) {
      const reason = treat(product, grids, opset, scope);
      if (reason) stuck.push({ product, reason });
    }
  }
  for (const { product, reason } of stuck) makeUnsigned(product, reason, scope);
};

/** One new weight for all products that read the old one alike. */
interface SharedGrid {
  readonly grid: PairAwareGrid;
  root?: Value;
}

function sharedGrid(
  tensor: Tensor,
  zeroPoints: readonly number[],
  layout: WeightLayout,
  grids: Map<string, SharedGrid>,
): SharedGrid {
  const key = `${layout.channels} ${layout.rows} ${zeroPoints.join()}`;
  const shared = grids.get(key) ?? { grid: pairAwareGrid(tensor, zeroPoints, layout) };
  grids.set(key, shared);
  return shared;
}

/** Products of unsigned activations and stored weights that saturate on the target when they are signed. */
function isConcerned(product: IntegerProduct, { target }: RetargetScope): boolean {
  const { activation, weightType, stored, node } = product;
  if (activation !== 'uint8' || !stored || (weightType !== 'int8' && weightType !== 'uint8')) return false;
  return !node.is('ConvInteger') && kernelFor(target, product, 'uint8', 'int8')?.exact === 'pair-rule';
}

/** One number for all channels, or one for each; 0 where the zero point is left out. */
function zeroPointsOf({ weight }: IntegerProduct, layout: WeightLayout | undefined): readonly number[] | undefined {
  const value = weight.reader.inputs[weight.zeroPoint];
  if (!value) return [0];
  const numbers = byteNumbersOf(value);
  const isFitting = layout && (numbers?.length === 1 || numbers?.length === channelCount(layout));
  return isFitting ? numbers : undefined;
}

/** Returns why a product that saturates cannot be helped so. */
function treat(
  product: IntegerProduct,
  grids: Map<string, SharedGrid>,
  opset: number,
  scope: RetargetScope,
): string | undefined {
  const { node, stored, weightType } = product;
  const isSigned = weightType === 'int8';
  const keep = (reason: string): string | undefined => {
    if (!isSigned) scope.leave(node, `it stays exact with unsigned weights: ${reason}`);
    return isSigned ? reason : undefined;
  };
  const layout = layoutOf(product);
  const zeroPoints = zeroPointsOf(product, layout);
  if (!stored || !layout || !zeroPoints) return keep('its weight is no matrix with stored zero points');
  const shared = sharedGrid(stored.tensor, zeroPoints, layout, grids);
  if (isSigned && shared.grid.facts.risky === 0) {
    scope.leave(node, 'its signed weights cannot saturate on the target: it is exact and fast already');
    return undefined;
  }
  const scale = scalePlaceOf(product, layout, opset);
  if (typeof scale === 'string') return keep(scale);
  const bias = biasPlaceOf(product, channelCount(layout));
  if (typeof bias === 'string') return keep(bias);
  const why = isSigned ? undefined : notWorthIt(product, shared.grid, scope);
  if (why) return keep(why);
  apply({ product, layout, scale, bias }, shared);
  tell(product, shared.grid, scope);
  return undefined;
}

/** Why unsigned weights, which are exact, stay as they are. */
function notWorthIt(
  product: IntegerProduct,
  { factors }: PairAwareGrid,
  { target }: RetargetScope,
): string | undefined {
  const signed = kernelFor(target, product, 'uint8', 'int8');
  const gain = gainOf(kernelFor(target, product, 'uint8', 'uint8'), signed);
  if (gain !== undefined && gain <= 1) return 'signed ones are no faster on the target';
  const error = errorAgainst7Bits(factors);
  return error > 1
    ? `signed weights that cannot saturate would be worse than 7 bits (${error.toFixed(2)} times their rounding error)`
    : undefined;
}

/** Weights that may saturate are made exact on the kernel of unsigned ones. */
function makeUnsigned(
  { node, op, mode, isDepthwise, weight }: IntegerProduct,
  reason: string,
  scope: RetargetScope,
): void {
  const kind = { op, mode, isDepthwise };
  const unsigned = kernelFor(scope.target, kind, 'uint8', 'uint8');
  const value = weight.reader.inputs[weight.data];
  const stored = value && constantOf(value);
  const found = stored?.elementType === 'int8' && unsigned ? findRecentreGroup(stored.root) : undefined;
  // Another product of the same weights may have taken it along.
  if (stored?.elementType !== 'uint8' && found?.status !== 'found') {
    const blocked = found?.reason ?? 'no kernel with unsigned weights is claimed for the target';
    scope.leave(node, `it may saturate on the target, and stays so: ${reason}; ${blocked}`, { maySaturate: true });
    return;
  }
  if (found?.status === 'found') recentre(found, 'uint8');
  scope.act(node, {
    rewrite: 'unsigned-weights',
    text: `weights that may saturate became unsigned, which is exact: ${reason}`,
    identicalUpTo: 'all',
    predictedGain: gainOf(kernelFor(scope.target, kind, 'uint8', 'int8'), unsigned),
    source: unsigned?.source,
  });
}

function apply({ product, layout, scale, bias }: Places, shared: SharedGrid): void {
  const { node, weight, stored } = product;
  const { graph } = node;
  if (!graph || !stored) return;
  const count = channelCount(layout);
  const { grid } = shared;
  shared.root ??= graphOf(stored.root).addInitializer(
    grid.quantized,
    stored.root.name && `${stored.root.name}_pair_aware`,
  );
  const integers = carriedAlong(shared.root, stored.path, node);
  const zeroPoint = graph.addInitializer(
    tensorOf('int8', [count], new Int8Array(count)),
    shared.root.name && `${shared.root.name}_zero_point`,
  );
  const scales = graph.addInitializer(
    float32Tensor([count], scaledBy(scale.node.inputs[scale.index], grid.factors)),
    scale.node.inputs[scale.index]?.name && `${scale.node.inputs[scale.index]?.name}_pair_aware`,
  );
  if (product.form === 'qdq') {
    node.setInput(1, dequantized(product, [integers, scales, zeroPoint], layout.axis));
    removeIfUnread(weight.reader);
  } else {
    node.setInput(weight.data, integers);
    node.setInput(weight.zeroPoint, zeroPoint);
    scale.node.setInput(scale.index, scales);
    // A factor that was one number may now be one for each channel.
    if (scale.node !== node && scale.node.outputs[0]) scale.node.outputs[0].type = undefined;
  }
  if (bias) rescaleBias(bias, grid.factors, node);
}

/** Others may read the dequantized weight, too: the product gets its own. */
function dequantized({ node, weight }: IntegerProduct, inputs: readonly Value[], axis: number): Value {
  const made = addNode(
    node.graph as NonNullable<Node['graph']>,
    'DequantizeLinear',
    {
      inputs,
      attributes: { axis: intAttribute(axis) },
      name: weight.reader.name && `${weight.reader.name}_pair_aware`,
    },
    node,
  );
  return made.outputs[0] as Value;
}

function tell(product: IntegerProduct, { facts }: PairAwareGrid, { target, act }: RetargetScope): void {
  const { node, weightType } = product;
  const signed = kernelFor(target, product, 'uint8', 'int8');
  act(node, {
    rewrite: 'pair-aware-weights',
    text:
      weightType === 'uint8'
        ? 'unsigned weights became signed ones that cannot saturate on the target'
        : 'weights that may saturate on the target were put on a grid on which none can',
    identicalUpTo: 'none',
    predictedGain: weightType === 'uint8' ? gainOf(kernelFor(target, product, 'uint8', 'uint8'), signed) : 1,
    source: signed?.source,
    pairs: facts,
  });
}
