import type { CpuFacts } from './cpu-facts.ts';
import type { Feature } from './feature.ts';

/** What CPU facts must be for a target; every field that is there must hold. */
export interface MatchRule {
  readonly architecture?: string;
  readonly vendor?: string;
  readonly families?: readonly number[];
  readonly models?: readonly number[];
  /** Linux flag names that must all be there, and that must all be missing. */
  readonly flags?: readonly string[];
  readonly withoutFlags?: readonly string[];
}

/** One named device of a backend, as data (a row of its targets.json). */
export interface TargetSpec {
  readonly id: string;
  readonly name: string;
  /** Any of these rules recognises it; none: it is only ever chosen by name. */
  readonly match: readonly MatchRule[];
  readonly features: readonly Feature[];
  /** Most cores of one socket, for reports. */
  readonly cores?: number;
  /** Among targets that match, the highest wins: named devices above instruction-set classes. */
  readonly specificity: number;
  readonly sources: readonly string[];
}

/** A target that was chosen for a run. */
export interface Target extends TargetSpec {
  readonly backend: string;
  /** True when this machine is such a device, so that speed and its own kernels can be checked here. */
  readonly isThisMachine: boolean;
}

/** The best match for the facts, or `undefined`. Ties go to the earlier row. */
export function matchTarget(targets: readonly TargetSpec[], facts: CpuFacts): TargetSpec | undefined {
  let best: TargetSpec | undefined;
  for (const target of targets) {
    if (best && best.specificity >= target.specificity) continue;
    if (target.match.some((rule) => matches(rule, facts))) best = target;
  }
  return best;
}

export function matches(rule: MatchRule, facts: CpuFacts): boolean {
  const flags = new Set(facts.flags);
  return (
    (rule.architecture === undefined || rule.architecture === facts.architecture) &&
    (rule.vendor === undefined || rule.vendor === facts.vendor) &&
    (rule.families === undefined || rule.families.includes(facts.family ?? -1)) &&
    (rule.models === undefined || rule.models.includes(facts.model ?? -1)) &&
    (rule.flags ?? []).every((flag) => flags.has(flag)) &&
    !(rule.withoutFlags ?? []).some((flag) => flags.has(flag))
  );
}
