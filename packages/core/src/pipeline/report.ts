import type { CalibrationMethod, DataShard, Range, TensorObservation } from '../observe/index.ts';
import type { Plan, PlanEntry, Reason } from '../plan/index.ts';
import type { AppliedAlgorithm } from '../quantize/index.ts';
import type { VerifyReport } from './verify.ts';

/** What became of one session (one ONNX file). */
export interface SessionReport {
  readonly name: string;
  readonly input: string;
  /** Where the new model is, or would be. */
  readonly output: string;
  /** `quantized`, or `copied` when nothing in it can be made integer and the folder needs it all the same. */
  readonly status: 'quantized' | 'copied' | 'planned';
  readonly bytes: { readonly before: number; readonly after: number };
  readonly operators: OperatorCounts;
  readonly left: readonly LeftFloat[];
  /** Mean factor by which pair-aware scales were raised (7-bit weights: 2), when there are any. */
  readonly scaleFactor?: number | undefined;
  /** Present where ranges came from calibration. */
  readonly calibration?: CalibrationReport | undefined;
  /** Accuracy algorithms that ran, in order. */
  readonly algorithms?: readonly AlgorithmReport[] | undefined;
  readonly notes: readonly string[];
  readonly verification: Verification;
  readonly plan: Plan;
}

/** What was calibrated, on what, and how well it fits. */
export interface CalibrationReport {
  readonly method: CalibrationMethod;
  readonly samples: number;
  readonly data: readonly DataShard[];
  /** True when there was no data and inputs were made up: ranges are a guess then. */
  readonly madeUp: boolean;
  /** Milliseconds; 0 when the statistics came from a file. */
  readonly durationMs: number;
  readonly tensors: readonly CalibratedTensor[];
}

export interface CalibratedTensor {
  /** See `valueIds`. */
  readonly id: string;
  readonly elementType: string;
  readonly range: Range;
  readonly scale: number;
  readonly zeroPoint: number;
  /** Part of the values that lie outside the range, 0 to 1. */
  readonly clipped: number;
  readonly observation: TensorObservation;
}

export type AlgorithmReport = AppliedAlgorithm;

export type Verification =
  | ({ readonly status: 'verified' } & VerifyReport)
  | { readonly status: 'unverified'; readonly reason: string; readonly hint?: string | undefined };

/** How many operators of which kind became integer, of how many. */
export type OperatorCounts = Readonly<Record<string, { readonly integer: number; readonly total: number }>>;

/** Nodes left in float for one reason. */
export interface LeftFloat {
  readonly op: string;
  readonly reason: Reason['code'];
  readonly text: string;
  readonly nodes: readonly string[];
}

/** What every report on a new model begins with. */
export interface ReportHead {
  readonly schemaVersion: 1;
  readonly target: {
    readonly id: string;
    readonly name: string;
    readonly backend: string;
    readonly isThisMachine: boolean;
  };
  readonly cpu: string;
  readonly runtime?: { readonly id: string; readonly version: string } | undefined;
  readonly output: string;
  readonly published: boolean;
}

export interface QuantizeReport extends ReportHead {
  readonly recipe: string;
  readonly sessions: readonly SessionReport[];
  readonly notes: readonly string[];
  /** Code that loads the result. */
  readonly snippet: string;
  readonly durationMs: number;
}

/** Counts by operator over a plan; operators that were never candidates are not in it. */
export function countOperators(plan: Plan): OperatorCounts {
  const counts = new Map<string, { integer: number; total: number }>();
  for (const { op, decision } of plan.entries) {
    const count = counts.get(op) ?? { integer: 0, total: 0 };
    counts.set(op, count);
    count.total++;
    if (decision.action !== 'float') count.integer++;
  }
  return Object.fromEntries(counts);
}

/** Float nodes of a plan grouped by operator and reason, most first. */
export function groupFloat(plan: Plan): LeftFloat[] {
  const groups = new Map<string, { op: string; reason: Reason['code']; text: string; nodes: string[] }>();
  for (const entry of plan.entries) {
    if (entry.decision.action !== 'float') continue;
    const { reason } = entry.decision;
    const key = `${entry.op}\n${reason.code}\n${reason.text}`;
    const group = groups.get(key) ?? { op: entry.op, reason: reason.code, text: reason.text, nodes: [] };
    group.nodes.push(entry.id);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}

export const integerEntries = (plan: Plan): PlanEntry[] =>
  plan.entries.filter(({ decision }) => decision.action !== 'float');
