import { parentPort } from 'node:worker_threads';
import { OptimumError } from '../foundation/index.ts';
import { createKernels } from '../kernels/index.ts';
import { runWeightTask, type WeightFacts } from '../quantize/index.ts';
import { outputCalls, writeFully, writing } from './file-sink.ts';
import { FileSource } from './file-source.ts';
import type { SharedTask, ThreadAnswer, ThreadWork } from './write-threads.ts';

/** The program of a further thread: claims weights until none is left, quantizes each into the output files. */
parentPort?.once('message', (work: ThreadWork) => {
  parentPort?.postMessage(answer(work));
});

function answer(work: ThreadWork): ThreadAnswer {
  try {
    return { facts: quantizeClaimed(work) };
  } catch (error) {
    if (OptimumError.isInstance(error)) return { error: error.toJSON() };
    return { error: { code: 'E_INTERNAL', message: String((error as Error).stack ?? error), context: {} } };
  }
}

function quantizeClaimed({ tasks, next, outputs, memoryByteLength }: ThreadWork): [number, WeightFacts][] {
  const kernels = createKernels();
  const sources = new Map<string, FileSource>();
  const sinks = new Map<string, number>();
  const done: [number, WeightFacts][] = [];
  const sinkOf = (path: string): number =>
    known(sinks, path, () => writing(path, () => outputCalls.openSync(path, 'r+')));
  const run = (task: SharedTask): WeightFacts =>
    runWeightTask(
      task.weight,
      known(sources, task.path, () => new FileSource(task.path)),
      kernels,
      (part, offset, bytes) => {
        const place = task.places.get(part);
        const path = place && outputs[place.sink];
        if (place && path) writeFully(sinkOf(path), path, bytes, place.position + offset);
      },
      memoryByteLength,
    );
  try {
    for (;;) {
      const index = Atomics.add(next, 0, 1);
      const task = tasks[index];
      if (!task) return done;
      done.push([index, run(task)]);
    }
  } finally {
    for (const source of sources.values()) source.close();
    for (const descriptor of sinks.values()) outputCalls.closeSync(descriptor);
  }
}

function known<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
