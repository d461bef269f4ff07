import type { ElementType } from '../../ir/index.ts';
import type { Feature } from './feature.ts';

/** When activations become integers: while it runs, with ranges from calibration, or never. */
export type Mode = 'dynamic' | 'static' | 'weight-only';

/** How far one scale reaches: the whole tensor, an output channel, a row of a table, a block along K. */
export type Granularity = 'tensor' | 'channel' | 'row' | 'block';

/**
 * One claim about a runtime's kernels: this operator, quantized like this, on CPUs like these, runs as that kernel.
 * Plain data with a source; the planner reads it and the conformance kit runs it. It is not a choice: recipes choose.
 */
export interface Capability {
  /** Stable: plans name it. */
  readonly id: string;
  readonly op: string;
  /** Domain of the operator. @defaultValue the standard domain */
  readonly domain?: string;
  readonly mode: Mode;
  /** Element type of quantized activations; absent where they stay float. */
  readonly activation?: ElementType;
  readonly weight: ElementType;
  /** Granularities of the weight's scales that the kernel takes; the planner prefers `channel`. */
  readonly granularity: readonly Granularity[];
  /** Any one of these sets of features suffices; empty: every CPU. */
  readonly requires: readonly (readonly Feature[])[];
  /** The claim does not hold where one of these is present (a better claim does). */
  readonly unless?: readonly Feature[];
  /** Convolutions for which the claim holds: one filter for each channel, or the others. @defaultValue any */
  readonly filters?: 'depthwise' | 'full';
  /** Weight-only: elements along K that share a scale. */
  readonly blocks?: readonly number[];
  /** Weight-only: the accuracy level of MatMulNBits (4: activations are made int8 while it runs) that the claim is for. */
  readonly accuracyLevel?: 0 | 4;
  /** Rows of the activation (M) for which `speed` holds. @defaultValue 16 and more */
  readonly rows?: { readonly least?: number; readonly most?: number };
  /** Operators of which one must stand in the optimized graph for each quantized node. */
  readonly kernels: readonly string[];
  /** `pair-rule`: exact only when no pair of weights along K can pass 16 bits (research: AVX2 saturation). */
  readonly exact: 'always' | 'pair-rule';
  /** Throughput against the float32 kernel at its `rows`, one thread; below 1 the planner leaves the node in float. */
  readonly speed: number;
  /** The least opset of the standard domain that the quantized form needs. */
  readonly opset: number;
  /** How the claim is known: measured on what, or read where. */
  readonly source: string;
}

/** True when a CPU with these features has the kernel and no better claim takes its place. */
export function holdsOn(capability: Capability, available: readonly Feature[]): boolean {
  if (capability.unless?.some((feature) => available.includes(feature))) return false;
  if (capability.requires.length === 0) return true;
  return capability.requires.some((set) => set.every((feature) => available.includes(feature)));
}
