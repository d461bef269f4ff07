import type { Feature } from './feature.ts';

/** Sizes that a kernel was timed at. Products: rows × depth times depth × columns. Others: what `kernel` says of them. */
export interface KernelShape {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

/** Shortest time of one kernel at one shape, one thread. */
export interface KernelTime extends KernelShape {
  /** Stable name: `matmul-float32`, `matmul-u8s8-dynamic`, `matmul-4bit-block128-level4`, `conv-u8s8-static-3x3`, … */
  readonly kernel: string;
  readonly microseconds: number;
}

/**
 * What a CPU's kernels were seen to do on one version of a runtime: it is measured, not believed. Plain JSON, kept in a
 * cache under its key; a table of another machine or version is never used.
 */
export interface CostTable {
  readonly schemaVersion: 1;
  /** Version of the set of kernels and shapes that was measured; another one is measured again. */
  readonly probeVersion: number;
  readonly runtime: { readonly id: string; readonly version: string };
  readonly cpu: { readonly modelName: string; readonly architecture: string; readonly features: readonly Feature[] };
  /** What the arithmetic does, whatever the flags say. */
  readonly behaviour: {
    /** Sums of u8 × s8 products: exact, or pairs clipped to 16 bits. */
    readonly u8s8: 'exact' | 'saturates';
  };
  readonly kernels: readonly KernelTime[];
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly durationMs: number;
  /** Spread of the repeated measurements, 0 to 1: above 0.1 the machine was busy and the times are not to be trusted. */
  readonly unrest: number;
}

export interface ProbeOptions {
  /** Time that may be taken, loading not counted. @defaultValue 5000 */
  readonly budgetMs?: number | undefined;
  /** Folder whose packages may provide the runtime. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what is being measured, done of total. */
  readonly onProgress?: ((done: number, total: number, kernel: string) => void) | undefined;
}
