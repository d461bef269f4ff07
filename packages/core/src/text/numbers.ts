/** The shortest decimal that reads back as the same float64, or as the same float32. */
export function printFloat(value: number, isSingle: boolean): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0';
  if (!isSingle) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

/** A float32 that is never to be mistaken for an integer. */
export function printFloatLiteral(value: number): string {
  const text = printFloat(Math.fround(value), true);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** The number that a literal of the syntax stands for; `undefined` where a finite one overflows. */
export function parseFloatLiteral(text: string, isSingle: boolean): number | undefined {
  const word = /^(-?)(inf|infinity|nan)$/i.exec(text);
  if (word) {
    if (word[2]?.toLowerCase() === 'nan') return Number.NaN;
    return word[1] ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = isSingle ? Math.fround(Number(text)) : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Inside ±2^53 a number, outside a bigint, as the IR has integers; `undefined` past 64 bits. */
export function parseInt64(text: string): number | bigint | undefined {
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) !== value) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
