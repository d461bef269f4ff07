/** @typedef {{ median: number, min: number, max: number, count: number }} Spread */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {readonly number[]} values @returns {Spread} */
export const spreadOf = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  count: values.length,
});

/** Ratios of two lists round by round: drift of the machine hits both of a pair. */
export const ratiosOf = (numerators, denominators) =>
  spreadOf(numerators.map((value, round) => value / denominators[round]));

/** `1.72 [1.60–1.85]`. */
export function formatSpread({ median: middle, min, max }, digits = 2, unit = '') {
  const [shown, low, high] = [middle, min, max].map((value) => value.toFixed(digits));
  return `${shown}${unit} [${low}–${high}]`;
}

/** Spearman's rank correlation, ties by mean rank. */
export function spearman(a, b) {
  return pearson(ranksOf(a), ranksOf(b));
}

function ranksOf(values) {
  const order = values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
  const ranks = new Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]] === values[order[start]]) end++;
    for (let index = start; index <= end; index++) ranks[order[index]] = (start + end) / 2;
    start = end + 1;
  }
  return ranks;
}

function pearson(a, b) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    product += (a[index] - meanA) * (b[index] - meanB);
    squaresA += (a[index] - meanA) ** 2;
    squaresB += (b[index] - meanB) ** 2;
  }
  return product / Math.sqrt(squaresA * squaresB);
}
