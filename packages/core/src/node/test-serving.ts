import type { ModelSource, Runtime, Session, SessionOptions } from '../backend/index.ts';
import type { BenchmarkReport } from '../evaluate/index.ts';
import type { Feeds } from '../pipeline/index.ts';
import { measure } from './benchmark.ts';
import type { BenchmarkMachine } from './benchmark-machine.ts';
import { benchmarkFiles } from './benchmark-models.ts';
import { type BenchmarkRequest, numbersOf } from './benchmark-request.ts';

/** A quiet machine of four cores. */
export const machine: BenchmarkMachine = {
  cpu: { name: 'Fake', class: 'avx2', cores: 4, granted: 4 },
  granted: { cores: [0, 1, 2, 3], granted: 4 },
  busyBefore: 0,
};

interface Call {
  readonly path: string;
  readonly options: SessionOptions;
  readonly dims: readonly number[];
}

/** A runtime whose runs take as long as a function says. */
export function fakeRuntime(latency: (call: Call) => number) {
  const open = new Set<Session>();
  const calls: Call[] = [];
  const createSession = async (model: ModelSource, options: SessionOptions = {}): Promise<Session> => {
    const path = 'path' in model ? model.path : '';
    const time = async (feeds: Feeds, repetitions: number): Promise<number[]> => {
      const call = { path, options, dims: Object.values(feeds)[0]?.dims ?? [] };
      calls.push(call);
      return Array<number>(repetitions).fill(latency(call));
    };
    const session: Session = {
      ...{ inputs: [], outputs: [], loadMs: 7, time },
      run: async () => ({}),
      observe: async () => undefined,
      observations: async () => ({}),
      sampledRows: async () => ({}),
      profile: async () =>
        [1, 3, 2].map((meanUs) => ({ name: `n${meanUs}`, op: 'Add', meanUs, shortestUs: 1, inputs: [], outputs: [] })),
      residentBytes: async () => 1000,
      close: async () => void open.delete(session),
    };
    open.add(session);
    return session;
  };
  const status = async () => ({ status: 'found', version: '9', path: '' }) as const;
  const limits = { opset: 26, irVersion: 13 };
  const runtime: Runtime = { specVersion: 1, id: 'fake', capabilities: [], limits, status, createSession };
  return { runtime, open, calls };
}

/** Measures for a moment. */
export const measureBriefly = (runtime: Runtime, request: BenchmarkRequest, on = machine): Promise<BenchmarkReport> =>
  measure(
    { durationMs: 60, rounds: 3, ...request },
    numbersOf({ durationMs: 60, rounds: 3, ...request }),
    benchmarkFiles(request.models),
    runtime,
    on,
  );
