/** Digits in groups of three, by a narrow space that does not break: `1 204 224`. */
export const formatCount = (count: number): string =>
  Number.isInteger(count) ? String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f') : String(count);

/** Four significant digits, with a true minus; powers of ten only where they save zeros. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  const text = magnitude >= 1e5 || magnitude < 1e-3 ? magnitude.toExponential(3) : String(+magnitude.toPrecision(4));
  return `${value < 0 ? '−' : ''}${text.replace('e-', 'e−').replace('e+', 'e')}`;
}

/** A share of 0 to 1 in percent: `0 %` is none at all, what is too small to write is `< 0.001 %`. */
export function formatShare(share: number): string {
  if (share === 0) return '0 %';
  const percent = 100 * share;
  if (percent < 0.001) return '< 0.001 %';
  return `${percent >= 10 ? percent.toFixed(1) : +percent.toPrecision(2)} %`;
}

/** `1 tensor`, `3 tensors`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;
