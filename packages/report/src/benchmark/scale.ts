/** From a value to a place in a picture, with the values at which the axis is labelled. */
export interface Scale {
  readonly position: (value: number) => number;
  readonly ticks: readonly number[];
  readonly kind: 'linear' | 'logarithmic';
}

/** Ends of an axis in the picture; `start` may lie right of or below `end`. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** From this ratio of greatest to least on, equal steps would press the small values together. */
const wideRatio = 8;
const mostTicks = 6;
const mostDecadeTicks = 10;

/** A scale from zero to just past the greatest value. */
export function scaleFromZero(values: readonly number[], extent: Extent): Scale {
  const greatest = Math.max(...finite(values), 0) || 1;
  const step = niceStep(greatest / mostTicks);
  return linearScale(0, step * Math.ceil(greatest / step), step, extent);
}

/**
 * A scale that holds all values and shows ratios as distances, where their range is wide or `ratios` asks for it;
 * otherwise with equal steps. Values that no logarithm takes make it a scale from zero.
 */
export function scaleOver(values: readonly number[], extent: Extent, ratios = false): Scale {
  const shown = finite(values);
  const [least, greatest] = [Math.min(...shown), Math.max(...shown)];
  if (shown.length === 0 || least <= 0) return scaleFromZero(values, extent);
  if (!ratios && greatest / least < wideRatio) return paddedScale(least, greatest, extent);
  const room = Math.max(1.02, (greatest / least) ** 0.06);
  return logarithmicScale(least / room, greatest * room, extent);
}

const finite = (values: readonly number[]): number[] => values.filter(Number.isFinite);

function paddedScale(least: number, greatest: number, extent: Extent): Scale {
  // Never so little that the picture would magnify what nobody can measure.
  const room = Math.max(0.06 * (greatest - least), 0.01 * greatest);
  const [from, to] = [least - room, greatest + room];
  return linearScale(from, to, niceStep((to - from) / mostTicks), extent);
}

function linearScale(from: number, to: number, step: number, { start, end }: Extent): Scale {
  return {
    position: (value) => start + ((end - start) * (value - from)) / (to - from),
    ticks: multiplesBetween(from, to, step),
    kind: 'linear',
  };
}

function logarithmicScale(from: number, to: number, { start, end }: Extent): Scale {
  const decades = decadeTicks(from, to);
  return {
    position: (value) => start + ((end - start) * Math.log(value / from)) / Math.log(to / from),
    // In less than a decade 1, 2 and 5 are too few.
    ticks: decades.length >= 3 ? decades : multiplesBetween(from, to, niceStep((to - from) / mostTicks)),
    kind: 'logarithmic',
  };
}

/** 1, 2 and 5 times a power of ten; powers of ten or some of them where that is too many. */
function decadeTicks(from: number, to: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  const inside = ticks.filter((tick) => tick >= from && tick <= to);
  if (inside.length <= mostDecadeTicks) return inside;
  const powers = inside.filter((tick) => Number.isInteger(Math.log10(tick)));
  const stride = Math.ceil(powers.length / mostDecadeTicks);
  return powers.filter((_, index) => index % stride === 0);
}

function multiplesBetween(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  // From the decimal form, so that a sum of steps shows no rounding.
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(10)));
}

/** The least of 1, 2, 5 times a power of ten that is not below `rough`. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}
