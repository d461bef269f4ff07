import type { LeftAlone, RetargetAction } from '../quantize/index.ts';
import type { ReportHead } from './report.ts';
import type { RetargetVerifyReport } from './verify-retargeted.ts';

/** What became of one session (one ONNX file) that was retargeted. */
export interface RetargetSessionReport {
  readonly name: string;
  readonly input: string;
  /** Where the new model is, or would be. */
  readonly output: string;
  /** `copied`: nothing is gained for it, and the folder needs it all the same. */
  readonly status: 'retargeted' | 'copied' | 'planned';
  readonly bytes: { readonly before: number; readonly after: number };
  readonly actions: readonly RetargetAction[];
  /** Operators that stay as they are, with reasons. */
  readonly left: readonly LeftAlone[];
  readonly notes: readonly string[];
  readonly verification: RetargetVerification;
}

export type RetargetVerification =
  | ({ readonly status: 'verified' } & RetargetVerifyReport)
  | { readonly status: 'unverified'; readonly reason: string; readonly hint?: string | undefined };

/** What `optimum retarget` did. Plain JSON. */
export interface RetargetReport extends ReportHead {
  readonly sessions: readonly RetargetSessionReport[];
  readonly notes: readonly string[];
  readonly durationMs: number;
}
