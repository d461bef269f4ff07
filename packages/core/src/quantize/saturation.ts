/**
 * What CPUs without VNNI compute for unsigned × signed 8-bit products: neighbours along K are multiplied and added
 * pairwise in 16 bits, which saturate, before they reach the 32-bit sum.
 * @source research: avx2.md section 2 (vpmaddubsw), checked there on 1.7 million outputs without an exception
 */
export interface IntegerProduct {
  /** What exact arithmetic gives for Σ (a - zeroPointA) · (w - zeroPointW). */
  readonly exact: number;
  /** What saturating kernels give. */
  readonly saturating: number;
}

/** What 16 bits hold. */
export const largestPair = 32767;
export const leastPair = -32768;

const clip16 = (value: number): number => Math.max(leastPair, Math.min(largestPair, value));

/** One output: `a` unsigned activations and `w` signed weights along K. */
export function integerProduct(a: Uint8Array, w: Int8Array, zeroPointA: number, zeroPointW = 0): IntegerProduct {
  let exact = 0;
  let lost = 0;
  for (let k = 0; k < a.length; k += 2) {
    const pair = (a[k] as number) * (w[k] as number) + (a[k + 1] ?? 0) * (w[k + 1] ?? 0);
    exact += ((a[k] as number) - zeroPointA) * ((w[k] as number) - zeroPointW);
    if (k + 1 < a.length) exact += ((a[k + 1] as number) - zeroPointA) * ((w[k + 1] as number) - zeroPointW);
    lost += clip16(pair) - pair;
  }
  return { exact, saturating: exact + lost };
}

/** True when no activation whatever can make a pair of this column of weights pass 16 bits. */
export function isPairSafe(column: Int8Array): boolean {
  for (let k = 0; k < column.length; k += 2) {
    const [v, w] = [column[k] as number, column[k + 1] ?? 0];
    if (Math.max(v, 0) + Math.max(w, 0) > 128 || Math.max(-v, 0) + Math.max(-w, 0) > 128) return false;
  }
  return true;
}
