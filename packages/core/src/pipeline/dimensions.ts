import type { Dim, Shape } from '../ir/index.ts';

/** Sizes for the dimensions of a model's inputs, by symbol. */
export type Bindings = ReadonlyMap<string, number>;

/** What a symbol most likely counts, told from its name; decides which sizes make sense for it. */
export type DimensionKind = 'batch' | 'total' | 'past' | 'sequence' | 'samples' | 'channels' | 'image' | 'other';

const patterns: readonly (readonly [RegExp, DimensionKind])[] = [
  [/total|kv.*(seq|len)|mask.*len|attention_(size|length)/i, 'total'],
  [/past/i, 'past'],
  [/batch|^n$|^b$/i, 'batch'],
  [/sample|wave|audio|input_values/i, 'samples'],
  [/seq|length|token|time|frame|^s$|^t$/i, 'sequence'],
  [/channel/i, 'channels'],
  [/height|width|^h$|^w$|image/i, 'image'],
];

export const dimensionKindOf = (symbol: string): DimensionKind =>
  patterns.find(([pattern]) => pattern.test(symbol))?.[1] ?? 'other';

/** Two sizes for each kind: small ones that differ from each other, so that a fixed size baked in shows. */
const sizes: Readonly<Record<Exclude<DimensionKind, 'total'>, readonly [number, number]>> = {
  batch: [1, 2],
  past: [4, 7],
  sequence: [16, 33],
  channels: [3, 3],
  // A quarter of a second and more at 16 kHz: the strided convolutions in front of speech models need that much.
  samples: [4000, 6400],
  image: [224, 224],
  other: [8, 13],
};

/** The symbol of an input dimension; one without a name is named after its place. */
export function symbolOf(dim: Dim, input: string, axis: number): string | undefined {
  if (typeof dim === 'number') return undefined;
  return dim ?? (axis === 0 ? 'batch' : `${input}.${axis}`);
}

/** Every symbol of a signature with a size: `variant` 0 and 1 are two different sizes of each dynamic dimension. */
export function bindDimensions(
  inputs: readonly { readonly name: string; readonly shape: Shape | undefined }[],
  variant: 0 | 1,
  overrides: Bindings = new Map(),
): Map<string, number> {
  const bindings = new Map<string, number>();
  const sizeOf = (kind: Exclude<DimensionKind, 'total'>): number => overrides.get(kind) ?? sizes[kind][variant];
  const symbols = new Set(
    inputs.flatMap(({ name, shape }) => (shape ?? []).map((dim, axis) => symbolOf(dim, name, axis))),
  );
  const hasPast = [...symbols].some((symbol) => symbol !== undefined && dimensionKindOf(symbol) === 'past');
  for (const symbol of symbols) {
    if (symbol === undefined || isExpression(symbol)) continue;
    const kind = dimensionKindOf(symbol);
    // A mask over a cache covers what is in it and what comes new.
    const total = sizeOf('sequence') + (hasPast ? sizeOf('past') : 0);
    bindings.set(symbol, overrides.get(symbol) ?? (kind === 'total' ? total : sizeOf(kind)));
  }
  return bindings;
}

const isExpression = (symbol: string): boolean => /[+*-]/.test(symbol);

/** The sizes of a shape. An expression of symbols (`past_sequence_length + sequence_length`) is evaluated. */
export function bindShape(input: string, shape: Shape, bindings: Bindings): number[] {
  return shape.map((dim, axis) => {
    const symbol = symbolOf(dim, input, axis);
    if (symbol === undefined) return dim as number;
    return bindings.get(symbol) ?? evaluate(symbol, bindings);
  });
}

/** Sums of products of symbols and numbers, as exporters write them; an unknown symbol counts as 1. */
function evaluate(expression: string, bindings: Bindings): number {
  const term = (text: string): number =>
    text.split('*').reduce((product, factor) => product * (bindings.get(factor.trim()) ?? (Number(factor) || 1)), 1);
  return expression
    .replace(/\s*-\s*/g, '+-1*')
    .split('+')
    .reduce((sum, part) => sum + term(part), 0);
}
