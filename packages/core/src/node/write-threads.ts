import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, internalError, OptimumError } from '../foundation/index.ts';
import type { PartPlace, WriteTask } from '../onnx/index.ts';
import type { WeightFacts, WeightJob, WeightTask } from '../quantize/index.ts';

/** Below this many bytes of weights a second thread costs more than it brings: it takes some 20 ms to start. */
export const worthThreads = 200e6;

/** Threads for a model of this size: what was asked for, else two where it pays. */
export const threadsFor = (byteLength: number, asked: number | undefined): number =>
  asked ?? (byteLength >= worthThreads ? Math.min(2, availableParallelism()) : 1);

/** Working memory of all threads together. */
const sharedMemoryByteLength = 6 << 20;

/** The built module that a thread runs, found by the package's own name, which leads there from the sources too. */
function programPath(): string {
  const manifest = createRequire(import.meta.url).resolve('@optimum/core/package.json');
  return join(dirname(manifest), 'dist/node/write-worker.js');
}

/** A weight to quantize in any thread: what to do, and where its parts go. */
export interface SharedTask {
  readonly weight: WeightTask;
  /** File of the float weight. */
  readonly path: string;
  readonly places: ReadonlyMap<number, PartPlace>;
}

/** What a thread is told. `next` is a shared counter by which tasks are claimed. */
export interface ThreadWork {
  readonly tasks: readonly SharedTask[];
  readonly next: Int32Array<SharedArrayBuffer>;
  readonly outputs: { readonly model: string; readonly external: string | undefined };
  readonly memoryByteLength: number;
}

/** What a thread answers: the facts of the tasks that it did, by index, or the error that ended it. */
export type ThreadAnswer =
  | { readonly facts: readonly (readonly [number, WeightFacts])[] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string; context: object } };

type JobTask = Extract<WriteTask, { kind: 'job' }> & { readonly job: WeightJob };

/** True when another thread can do the task: a weight of a file. */
export const isShareable = (task: WriteTask): task is JobTask =>
  task.kind === 'job' && (task.job as WeightJob).task !== undefined;

/**
 * Further threads that quantize weights straight into the output files. They start at once; `share` gives them work.
 */
export class WriteThreads {
  readonly #workers: readonly Worker[];
  #tasks: readonly JobTask[] = [];
  #next = new Int32Array(new SharedArrayBuffer(4));

  /** @param count threads beside this one */
  constructor(count: number) {
    this.#workers = Array.from(
      { length: count },
      () => new Worker(programPath(), { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 1 } }),
    );
    // Flags of this process (--input-type, loaders) are not for a thread. Waiting for work must not keep the program alive.
    for (const worker of this.#workers) worker.unref();
  }

  /** What each thread, the calling one included, keeps to. */
  get memoryByteLength(): number {
    return sharedMemoryByteLength / (this.#workers.length + 1);
  }

  /** Hands out tasks, the largest first, so that all threads end at about the same time. */
  share(tasks: readonly JobTask[], outputs: ThreadWork['outputs']): Promise<void> {
    this.#tasks = [...tasks].sort((a, b) => b.byteLength - a.byteLength);
    const shared = this.#tasks.map(({ job, places }): SharedTask => {
      if (!job.task) throw internalError('A task without a file was given to another thread.');
      return { weight: job.task.weight, path: job.task.path, places };
    });
    const work: ThreadWork = { tasks: shared, next: this.#next, outputs, memoryByteLength: this.memoryByteLength };
    return Promise.all(this.#workers.map((worker) => this.#result(worker, work))).then(() => undefined);
  }

  /** The next task for the calling thread, or `undefined` when all are taken. */
  claim(): JobTask | undefined {
    return this.#tasks[Atomics.add(this.#next, 0, 1)];
  }

  /** Lets the threads end after the task that each is in. */
  async close(): Promise<void> {
    Atomics.store(this.#next, 0, 1 << 30);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #result(worker: Worker, work: ThreadWork): Promise<void> {
    worker.ref();
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', (code) =>
        reject(internalError(`A thread ended with code ${code} before its work was done.`)),
      );
      worker.once('message', (answer: ThreadAnswer) => {
        if ('error' in answer) {
          const { code, message, hint, context } = answer.error;
          reject(new OptimumError(code, message, { hint, context: context as Record<string, unknown> }));
          return;
        }
        for (const [index, facts] of answer.facts) (this.#tasks[index] as JobTask).job.facts = facts;
        resolve();
      });
      worker.postMessage(work);
    });
  }
}
