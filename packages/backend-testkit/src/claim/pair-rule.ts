import {
  type Capability,
  filterMatrices,
  type Model,
  type PairedMatrix,
  pairSumsOf,
  storedTensor,
  type Value,
  walkNodes,
} from '@optimum/core';
import { BackendCaseError } from '../backend-case.ts';
import { productSubject, productsOf } from './product-subjects.ts';
import { proofsOf } from './proof.ts';
import { quantizedModel } from './quantize-claim.ts';

/** 255 · 128 is what a pair may come to in 16 bits: 32640 of 32767. */
const largestPairSum = 128;

/**
 * The promise of a pair rule, proven without a CPU that needs it: no two neighbours along K of the weights that this
 * library stores can pass 16 bits, whatever the activations; and of those past the rule some sums would.
 * @source research: avx2.md section 2, the rule w⁺₀ + w⁺₁ ≤ 128 and w⁻₀ + w⁻₁ ≤ 128
 * @throws BackendCaseError
 */
export function requirePairRule(claim: Capability): void {
  for (const proof of proofsOf(claim) ?? []) {
    const { isBeyond = false } = proof;
    const matrices = storedMatrices(quantizedModel(proof).model);
    if (matrices.length < proof.subjects.length)
      throw new BackendCaseError(
        `claim ${claim.id}: its weights are not stored as int8, so that no pair rule is about them.`,
      );
    const { positive, negative } = pairSumsOf(matrices);
    const isSafe = Math.max(positive, negative) <= largestPairSum;
    if (isSafe !== isBeyond) continue;
    throw new BackendCaseError(
      isBeyond
        ? `claim ${claim.id}: weights past the pair rule are stored as pairs of at most ${largestPairSum}: nothing is shown by them.`
        : `claim ${claim.id} promises exact sums under the pair rule, but two neighbours of its weights come to ${Math.max(positive, negative)}; the most that 16 bits hold is ${largestPairSum}.`,
    );
  }
  requireLosses(claim);
}

/** The emulated 16-bit sums differ from exact ones where pairs are past the rule: the emulation can see a loss. */
function requireLosses(claim: Capability): void {
  const scheme = { elementType: 'int8', granularity: 'channel', range: 'full' } as const;
  const sumsOf = (exact: Capability['exact'], data: 'extremes' | 'beyond'): Float64Array[] =>
    productsOf(claim).map(
      (product, index) =>
        productSubject(product, { claim: { ...claim, exact }, scheme, data, output: 'float' }, index).expected,
    );
  const exact = sumsOf('always', 'extremes');
  const saturating = sumsOf('pair-rule', 'beyond');
  const blind = exact.findIndex((sums, index) => sums.every((sum, at) => sum === saturating[index]?.[at]));
  if (blind >= 0)
    throw new BackendCaseError(`claim ${claim.id}: product ${blind + 1} of the kit loses nothing past the pair rule.`);
}

/** Every int8 weight of the model as its kernel multiplies by it. */
function storedMatrices(model: Model): PairedMatrix[] {
  const weights = new Map<Value, number>();
  for (const node of walkNodes(model))
    for (const value of node.inputs) {
      if (!value || (storedTensor(value)?.dims.length ?? 0) < 2 || storedTensor(value)?.elementType !== 'int8')
        continue;
      const reader = node.op === 'DequantizeLinear' ? node.outputs[0]?.consumers[0] : node;
      weights.set(value, reader?.int('group', 1) ?? 1);
    }
  return [...weights].flatMap(([value, groups]) => {
    const tensor = storedTensor(value);
    if (!tensor) return [];
    const bytes = tensor.bytes();
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [rows = 0, columns = 0] = tensor.dims;
    return tensor.dims.length === 2 ? [{ values, rows, columns }] : filterMatrices(values, tensor.dims, groups);
  });
}
