import { type ByteSink, internalError, MemorySink, throwIfAborted } from '../foundation/index.ts';
import { chunkByteLength, type Model, type TensorJob } from '../ir/index.ts';
import { planWrite, type Segment, type WriteOptions, type WritePlan } from './write-plan.ts';

export interface Sinks {
  readonly model: ByteSink;
  readonly external?: ByteSink | undefined;
}

export interface ExecuteOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Where a part of a job goes. */
export interface PartPlace {
  readonly sink: 'model' | 'external';
  readonly position: number;
}

/** One piece of work of a plan: independent of the others, so that several threads can share them. */
export type WriteTask =
  | { readonly kind: 'segment'; readonly sink: 'model' | 'external'; readonly segment: Segment }
  | {
      readonly kind: 'job';
      readonly job: TensorJob;
      readonly places: ReadonlyMap<number, PartPlace>;
      readonly byteLength: number;
    };

/** The work of a plan, each job once, in the order of the files. */
export function tasksOf(plan: WritePlan): WriteTask[] {
  const tasks: WriteTask[] = [];
  const jobs = new Map<TensorJob, { places: Map<number, PartPlace>; byteLength: number }>();
  for (const sink of ['model', 'external'] as const) {
    for (const segment of plan[sink]?.segments ?? []) {
      if (segment.kind !== 'part') {
        tasks.push({ kind: 'segment', sink, segment });
        continue;
      }
      const known = jobs.get(segment.job);
      const entry = known ?? { places: new Map(), byteLength: 0 };
      entry.places.set(segment.part, { sink, position: segment.position });
      entry.byteLength += segment.byteLength;
      if (known) continue;
      jobs.set(segment.job, entry);
      tasks.push({
        kind: 'job',
        job: segment.job,
        places: entry.places,
        get byteLength() {
          return entry.byteLength;
        },
      });
    }
  }
  return tasks;
}

/** Writes the files of a plan. Each job runs once, straight into the positions of its parts. */
export function executePlan(plan: WritePlan, sinks: Sinks, options: ExecuteOptions = {}): void {
  const total = plan.model.byteLength + (plan.external?.byteLength ?? 0);
  const buffer = new Uint8Array(Math.min(chunkByteLength, total));
  let done = 0;
  for (const task of tasksOf(plan)) {
    throwIfAborted(options.signal);
    executeTask(task, sinks, buffer);
    done += task.kind === 'job' ? task.byteLength : task.segment.byteLength;
    options.onProgress?.(done, total);
  }
}

/** Does one task; `buffer` carries copies, jobs keep to `memoryByteLength` of working memory. */
export function executeTask(task: WriteTask, sinks: Sinks, buffer: Uint8Array, memoryByteLength?: number): void {
  if (task.kind === 'job') {
    task.job.run((part, offset, bytes) => {
      const place = task.places.get(part);
      // A part that nothing reads is not in the plan.
      if (place) sinkOf(sinks, place.sink).writeAt(bytes, place.position + offset);
    }, memoryByteLength);
    return;
  }
  const { segment } = task;
  const sink = sinkOf(sinks, task.sink);
  if (segment.kind === 'bytes') sink.writeAt(segment.bytes, segment.position);
  else if (segment.kind === 'copy') copy(segment, sink, buffer);
}

function copy(segment: Extract<Segment, { kind: 'copy' }>, sink: ByteSink, buffer: Uint8Array): void {
  for (let done = 0; done < segment.byteLength; ) {
    const piece = buffer.subarray(0, Math.min(buffer.byteLength, segment.byteLength - done));
    segment.source.readInto(piece, segment.offset + done);
    sink.writeAt(piece, segment.position + done);
    done += piece.byteLength;
  }
}

function sinkOf(sinks: Sinks, name: 'model' | 'external'): ByteSink {
  const sink = sinks[name];
  if (!sink) throw internalError('The plan has external data, but nowhere to write it.');
  return sink;
}

/** The encoded model in memory, weights included unless `options.slim` leaves them where they are. */
export function serializeModel(model: Model, options: Pick<WriteOptions, 'slim'> = {}): Uint8Array {
  const plan = planWrite(model, options);
  const sink = new MemorySink(plan.model.byteLength);
  executePlan(plan, { model: sink });
  return sink.bytes;
}
