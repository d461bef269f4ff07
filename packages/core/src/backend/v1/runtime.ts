import type { Dim, ElementType } from '../../ir/index.ts';
import type { TensorObservation } from '../../observe/index.ts';
import type { Capability } from './capability.ts';
import type { CostTable, ProbeOptions } from './cost-table.ts';

/** A tensor as it crosses to a runtime: raw ONNX layout, little-endian. */
export interface TensorData {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
  /** Elements of a string tensor, in place of bytes. */
  readonly strings?: readonly string[];
}

/** One input or output of a loaded model, as far as the runtime tells. */
export interface Signature {
  readonly name: string;
  readonly elementType: ElementType | undefined;
  readonly shape: readonly Dim[] | undefined;
}

/**
 * One tensor to observe while a session runs. It is a graph output, or the graph reduces it and only its extremes leave
 * the runtime.
 */
export interface Tap {
  /** Name under which it is kept. */
  readonly tensor: string;
  /** Graph output that is the tensor itself. */
  readonly output: string;
  /** `range`: no histogram. @defaultValue 'histogram', but for a tap with reductions */
  readonly detail?: 'range' | 'histogram';
  /** Scalar graph outputs with its least value, greatest value, sum and size, where only the range is wanted. */
  readonly reduced?: { readonly min: string; readonly max: string; readonly sum: string; readonly size: string };
  readonly channelAxis?: number;
  /** Keep so many rows. */
  readonly rows?: number;
}

/** Rows of a tensor that were kept: slices along its last axis. */
export interface RowSample {
  readonly width: number;
  /** [rows, width] */
  readonly values: Float32Array;
}

/** What to load. Bytes may point with external data into `folder`. */
export type ModelSource = { readonly path: string } | { readonly bytes: Uint8Array; readonly folder?: string };

export interface SessionOptions {
  /** Threads inside one operator. @defaultValue 1 */
  readonly threads?: number;
  /** @defaultValue 'all' */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Runtime session entries, dotted (`optimization.disable_specified_optimizers`). */
  readonly config?: Readonly<Record<string, string>>;
  /** Where the runtime writes the graph that it really runs. */
  readonly optimizedModelPath?: string;
  /** Keep the time of each operator, for `Session.profile`. It costs about a microsecond for each operator and run. */
  readonly profile?: boolean;
  /** Logical CPUs that the process may use. E_USAGE where the system cannot bind a process. @defaultValue all */
  readonly cores?: readonly number[];
  /** Further environment of the process: allocator and huge-page hints (`LD_PRELOAD`, `GLIBC_TUNABLES`). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Longest time for loading, and for each run. @defaultValue 120 000 */
  readonly timeLimitMs?: number;
  /** Resident memory past which the session is ended. */
  readonly memoryLimitBytes?: number;
  readonly signal?: AbortSignal;
  /** Folder whose packages may provide the runtime, as in `status`. @defaultValue the working directory */
  readonly from?: string;
}

/** Time of one operator of the optimized graph. */
export interface OperatorTime {
  /** Name of the node in the optimized graph; a fused node keeps one of its names. */
  readonly name: string;
  readonly op: string;
  /** Mean over the runs, in microseconds. */
  readonly meanUs: number;
  readonly shortestUs: number;
  /** Dims of its inputs and outputs, as they occurred. */
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/**
 * One loaded model in a process of its own, so that a crash or a hang of the runtime is an error here and not the end
 * of the program. Calls are served in order. It is not a pool and not meant for serving: it is there to prove.
 */
export interface Session {
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
  /** Milliseconds that loading took inside the process. */
  readonly loadMs: number;
  /**
   * The outputs of one run: those that are named, or all that can leave the runtime.
   * @throws E_BACKEND_CRASHED, E_BACKEND_TIMEOUT, E_VERIFY_LOAD, E_DATA_MISMATCH, E_LIMIT_MEMORY, E_INTERRUPTED
   */
  run(feeds: Readonly<Record<string, TensorData>>, outputs?: readonly string[]): Promise<Record<string, TensorData>>;
  /** Latency in milliseconds of each of `repetitions` runs, by the clock of the process that runs them. */
  time(feeds: Readonly<Record<string, TensorData>>, repetitions: number): Promise<number[]>;
  /**
   * Runs once and adds what the taps show to the observations, which stay in the process: activations never cross. A tap
   * with reductions is fetched whole only when they show NaN, infinity or a mask sentinel.
   * @param sample number of the sample in its data set, by which rows are chosen
   * @throws as `run`
   */
  observe(feeds: Readonly<Record<string, TensorData>>, taps: readonly Tap[], sample: number): Promise<void>;
  /** All that was observed so far, by tensor. */
  observations(): Promise<Record<string, TensorObservation>>;
  /** The rows that were kept, of the taps that ask for rows. */
  sampledRows(): Promise<Record<string, RowSample>>;
  /**
   * Times of each operator of the graph that really runs, from `repetitions` runs of a session made with `profile`. It
   * can be asked for once: profiling ends with it.
   * @throws E_USAGE for a session without `profile` or asked twice, and as `run`
   */
  profile(feeds: Readonly<Record<string, TensorData>>, repetitions: number): Promise<OperatorTime[]>;
  /** Resident bytes of the process. */
  residentBytes(): Promise<number>;
  /** Ends the process. Further calls fail; a second close does nothing. */
  close(): Promise<void>;
}

/** Whether the native library is there: `hint` is the command that installs it. */
export type RuntimeStatus =
  | { readonly status: 'found'; readonly version: string; readonly path: string }
  | { readonly status: 'absent'; readonly reason: string; readonly hint: string };

/** What executes a model, and what its kernels do. It knows no target: which claims hold follows from the features. */
export interface Runtime {
  readonly specVersion: 1;
  readonly id: string;
  readonly capabilities: readonly Capability[];
  /** Highest standard opset and IR version that it loads. */
  readonly limits: { readonly opset: number; readonly irVersion: number };
  /** Looks for the native library without loading it. `from`: folder whose packages may provide it. Never throws. */
  status(from?: string): Promise<RuntimeStatus>;
  /** @throws E_BACKEND_MISSING, E_VERIFY_LOAD, E_BACKEND_CRASHED, E_BACKEND_TIMEOUT, E_LIMIT_MEMORY, E_INTERRUPTED */
  createSession(model: ModelSource, options?: SessionOptions): Promise<Session>;
  /** Version of what `probe` measures: tables of another one are measured again. There when `probe` is. */
  readonly probeVersion?: number;
  /**
   * Times the kernels by which recipes choose, on this CPU. Absent: the runtime has nothing to measure.
   * @throws as `createSession`
   */
  probe?(options?: ProbeOptions): Promise<CostTable>;
}
