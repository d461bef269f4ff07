import type { Tensor, Value } from '../../ir/index.ts';
import { carriedAlong } from './carried-along.ts';
import { groupBy } from './group-by.ts';
import { type IntegerProduct, integerProducts } from './integer-products.ts';
import { graphOf, recentre, type ShiftedZeroPoints } from './recentre.ts';
import { findRecentreGroup, type Objection, type RecentreSearch } from './recentre-group.ts';
import type { RetargetScope, Rewrite } from './rewrite.ts';
import { gainOf, kernelFor } from './target-kernels.ts';

/**
 * Unsigned weights become signed ones where the target multiplies u8 × s8 exactly and faster than u8 × u8: 128 is
 * subtracted from weights and zero points, so that every sum stays what it was.
 * @source research: runtime.md section 0, fact 2
 */
export const signWeights: Rewrite = (scope) => {
  const products = integerProducts(scope.model);
  const wanted = products.filter((product) => isWanted(product, scope));
  const byRoot = groupBy(wanted, ({ stored }) => stored?.root as Value);
  const zeroPoints: ShiftedZeroPoints = new Map();
  const object = objectionOf(products, new Set(wanted));
  for (const [root, readers] of byRoot) {
    const found = groupOf(root, readers, object);
    if (found.status === 'blocked') for (const { node } of readers) scope.leave(node, found.reason);
    else {
      recentre(found, 'int8', zeroPoints);
      for (const reader of readers) tell(reader, scope);
    }
  }
};

function isWanted(product: IntegerProduct, { target, leave }: RetargetScope): boolean {
  const { node, activation, stored, weightType } = product;
  const signed = kernelFor(target, product, 'uint8', 'int8');
  if (node.is('ConvInteger') || signed?.exact === 'pair-rule') return false;
  if (weightType === 'int8' && activation === 'uint8' && signed)
    leave(node, 'it has unsigned activations and signed weights already, which the target is fastest with');
  if (weightType !== 'uint8') return false;
  const gain = gainOf(kernelFor(target, product, 'uint8', 'uint8'), signed);
  const why = !signed
    ? 'no integer kernel with signed weights is claimed for the target'
    : !stored
      ? 'its second operand is computed, not stored'
      : activation !== 'uint8'
        ? `its activations are ${activation ?? 'of an unknown type'}, not uint8`
        : gain !== undefined && gain <= 1
          ? 'unsigned weights are as fast on the target'
          : undefined;
  if (why) leave(node, why);
  return why === undefined;
}

/** Products for which signed weights are no gain keep theirs. */
function objectionOf(products: readonly IntegerProduct[], wanted: ReadonlySet<IntegerProduct>): Objection {
  const kept = products.filter((product) => !wanted.has(product) && product.weightType === 'uint8');
  return (node, index) => {
    const isKept = kept.some(({ weight: { reader, data } }) => reader === node && data === index);
    return isKept ? `${node.op} reads the same weights and is better off with unsigned ones` : undefined;
  };
}

/** Where others read the same weights in their own way, the products get weights of their own. */
function groupOf(root: Value, readers: readonly IntegerProduct[], object: Objection): RecentreSearch {
  const shared = findRecentreGroup(root, object);
  if (shared.status === 'found') return shared;
  const own = graphOf(root).addInitializer(
    (readers[0] as IntegerProduct).stored?.tensor as Tensor,
    root.name && `${root.name}_int8`,
  );
  for (const { stored, weight } of readers)
    weight.reader.setInput(weight.data, carriedAlong(own, stored?.path ?? [], weight.reader));
  const found = findRecentreGroup(own, object);
  if (found.status === 'blocked') for (const reader of readers) putBack(reader, root);
  return found;
}

function putBack({ stored, weight }: IntegerProduct, root: Value): void {
  weight.reader.setInput(weight.data, stored?.path.at(-1)?.outputs[0] ?? root);
}

function tell(product: IntegerProduct, { target, act }: RetargetScope): void {
  const signed = kernelFor(target, product, 'uint8', 'int8');
  act(product.node, {
    rewrite: 'signed-weights',
    text: 'unsigned weights became signed, on the same grid: the target multiplies those exactly and faster',
    identicalUpTo: 'all',
    predictedGain: gainOf(kernelFor(target, product, 'uint8', 'uint8'), signed),
    source: signed?.source,
  });
}
