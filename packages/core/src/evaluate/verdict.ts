export type Verdict = 'faster' | 'slower' | 'same';

/** What an interval of speed-ups says: something only when it excludes 1. */
export const verdictOf = ({ low, high }: { readonly low: number; readonly high: number }): Verdict =>
  low > 1 ? 'faster' : high < 1 ? 'slower' : 'same';
