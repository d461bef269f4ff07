import type { CpuFacts } from './cpu-facts.ts';
import { type Feature, featuresOf } from './feature.ts';

/**
 * What CPU facts must be for a target; every field that is there must hold. It tells devices apart and is not a list
 * of what they can do: that is `TargetSpec.features`, which is checked as well.
 */
export interface MatchRule {
  /** As Node's `process.arch`. */
  readonly architecture?: string;
  readonly vendor?: string;
  readonly families?: readonly number[];
  readonly models?: readonly number[];
  /** Linux flag names that must all be there, and that must all be missing. */
  readonly flags?: readonly string[];
  readonly withoutFlags?: readonly string[];
}

/**
 * One named device of a backend, as data (a row of its targets.json). It is not a measurement and not a promise about
 * speed: speeds are in the capabilities, and the verification measures them.
 */
export interface TargetSpec {
  readonly id: string;
  /** For people, as the vendor writes it. */
  readonly name: string;
  /** Any of these rules recognises it; none: it is only ever chosen by name. */
  readonly match: readonly MatchRule[];
  /** What the planner may count on. A machine that does not show all of them is not this target. */
  readonly features: readonly Feature[];
  /**
   * The target is right on every CPU: its features say for which kernels the weights are made, and a machine need not
   * show them. It is chosen by itself where nothing else fits (flags that cannot be read, a CPU that nobody knows).
   */
  readonly everywhere?: boolean;
  /** Most cores of one socket, for reports. */
  readonly cores?: number;
  /** Among targets that match, the highest wins: named devices above instruction-set classes. */
  readonly specificity: number;
  /** Where the row's facts are from. */
  readonly sources: readonly string[];
}

/** A target that was chosen for a run. */
export interface Target extends TargetSpec {
  /** Id of the backend that it belongs to. */
  readonly backend: string;
  /** True when this machine is such a device, so that speed and its own kernels can be checked here. */
  readonly isThisMachine: boolean;
}

/**
 * The best match for the facts, or `undefined`. Ties go to the earlier row. A target whose features the machine does
 * not show never matches, whatever its name: hypervisors and old kernels hide instruction sets.
 */
export function matchTarget(targets: readonly TargetSpec[], facts: CpuFacts): TargetSpec | undefined {
  let best: TargetSpec | undefined;
  for (const target of targets) {
    if (best && best.specificity >= target.specificity) continue;
    if (fits(target, facts)) best = target;
  }
  return best;
}

/** True when a machine with these facts is such a device: a rule recognises it, and it shows every feature. */
export function fits(target: TargetSpec, facts: CpuFacts): boolean {
  const available = featuresOf(facts);
  return (
    target.match.some((rule) => matches(rule, facts)) && target.features.every((feature) => available.includes(feature))
  );
}

/** True when every field of the rule holds. */
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
