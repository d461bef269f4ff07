/** What an accuracy algorithm did and gained. Plain data; reports show it as it is. */
export interface AppliedAlgorithm {
  readonly id: 'smooth-quant' | 'bias-correction' | 'cross-layer-equalization' | 'adaround';
  /** Nodes (or groups of them) that it changed, and those that it looked at. */
  readonly applied: number;
  readonly considered: number;
  /** Relative error of the layer outputs before and after, mean over what it changed; 0 when that is nothing. */
  readonly errorBefore: number;
  readonly errorAfter: number;
  /** For people: parameters chosen, why others were left. */
  readonly notes: readonly string[];
}

/** What became of one layer, or group of layers. */
export type Outcome =
  | { readonly kind: 'applied'; readonly how: string; readonly errorBefore: number; readonly errorAfter: number }
  | { readonly kind: 'left'; readonly why: string };

export const left = (why: string): Outcome => ({ kind: 'left', why });

/** Sums outcomes up: mean errors, and one note for each way in which layers were changed or left. */
export function summarise(
  id: AppliedAlgorithm['id'],
  outcomes: readonly Outcome[],
  notes: readonly string[] = [],
): AppliedAlgorithm {
  const applied = outcomes.filter((outcome) => outcome.kind === 'applied');
  const mean = (numbers: readonly number[]): number =>
    numbers.length > 0 ? numbers.reduce((sum, number) => sum + number, 0) / numbers.length : 0;
  const lines = outcomes.map((outcome) => (outcome.kind === 'applied' ? outcome.how : `left: ${outcome.why}`));
  return {
    id,
    applied: applied.length,
    considered: outcomes.length,
    errorBefore: mean(applied.map(({ errorBefore }) => errorBefore)),
    errorAfter: mean(applied.map(({ errorAfter }) => errorAfter)),
    notes: [...notes, ...[...countsOf(lines)].map(([line, count]) => `${count} × ${line}`)],
  };
}

function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
