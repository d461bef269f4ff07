import { join } from 'node:path';
import {
  type ElementType,
  type ModelSource,
  type OperatorTime,
  OptimumError,
  type RowSample,
  type Session,
  type SessionOptions,
  type Signature,
  type Tap,
  type TensorData,
} from '@optimum/core';
import { checkFeeds } from './check-feeds.ts';
import { type CrossedObservation, observationOf } from './crossed-observation.ts';
import { defaultMemoryLimit } from './memory-limit.ts';
import { ProfileFolder } from './profile-folder.ts';
import { ChildFault, SessionChild } from './session-child.ts';
import { badRun, notCarried, notLoadable, notProfiled, refused } from './session-errors.ts';

const defaultTimeLimitMs = 120_000;

/** Element types that this binding cannot carry: 4-bit outputs even abort the process. */
const uncarried = new Set(['int4', 'uint4', 'int2', 'uint2', 'float4e2m1', 'bfloat16', 'complex64', 'complex128']);

interface Created {
  readonly loadMs: number;
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
}

/**
 * Starts a process, loads the model in it.
 * @throws E_VERIFY_LOAD, E_BACKEND_INCOMPATIBLE, E_CONFIG_SCHEMA, E_USAGE and what SessionChild throws
 */
export async function createSession(
  modulePath: string,
  model: ModelSource,
  options: SessionOptions = {},
): Promise<Session> {
  const config = checkedConfig(options.config ?? {});
  const profiled = options.profile ? new ProfileFolder() : undefined;
  try {
    const child = startChild(model, options);
    return await loadIn(child, modulePath, model, { ...options, config }, profiled).catch(async (error: unknown) => {
      await child.close();
      throw error;
    });
  } catch (error) {
    profiled?.remove();
    throw error;
  }
}

const nameOf = (model: ModelSource): string => ('path' in model ? model.path : 'a model in memory');

function startChild(model: ModelSource, options: SessionOptions): SessionChild {
  const limits = {
    model: nameOf(model),
    timeLimitMs: options.timeLimitMs ?? defaultTimeLimitMs,
    memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimit(model),
    signal: options.signal,
  };
  return new SessionChild(limits, options);
}

async function loadIn(
  child: SessionChild,
  modulePath: string,
  model: ModelSource,
  options: SessionOptions,
  profiled: ProfileFolder | undefined,
): Promise<Session> {
  const name = nameOf(model);
  const native = nativeOptions(model, options, profiled);
  const request = { modulePath, model: 'path' in model ? model.path : model.bytes, options: native };
  const created = await child.call<Created>('create', request).catch((error: unknown) => {
    if (!(error instanceof ChildFault)) throw error;
    throw error.kind === 'library' ? notLoadable(modulePath, error.message) : refused(name, error.message);
  });
  return sessionOf(child, name, created, profiled);
}

function nativeOptions(model: ModelSource, options: SessionOptions, profiled: ProfileFolder | undefined) {
  const folder =
    'bytes' in model && model.folder ? { 'session.model_external_initializers_file_folder_path': model.folder } : {};
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads ?? 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: options.optimization ?? 'all',
    logSeverityLevel: 3,
    extra: { ...options.config, ...folder },
    ...(options.optimizedModelPath && { optimizedModelFilePath: options.optimizedModelPath }),
    ...(profiled && { enableProfiling: true, profileFilePrefix: join(profiled.path, 'trace') }),
  };
}

/** @throws E_CONFIG_SCHEMA for entries that are no strings: the runtime would not say which */
function checkedConfig(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries<unknown>(config)) {
    if (typeof value === 'string') continue;
    throw new OptimumError(
      'E_CONFIG_SCHEMA',
      `Session entry "${key}": expected a string, got ${typeof value} ${String(value)}.`,
      { hint: `Write "${String(value)}".`, context: { key } },
    );
  }
  return config;
}

function sessionOf(child: SessionChild, name: string, created: Created, profiled: ProfileFolder | undefined): Session {
  let isProfiling = profiled !== undefined;
  const outputTypes = new Map(created.outputs.map((output) => [output.name, output.elementType]));
  const carried = (wanted?: readonly string[]): readonly string[] => carriedOutputs(name, created.outputs, wanted);
  const guarded = async <T>(
    method: 'run' | 'time' | 'observe' | 'profile',
    feeds: Readonly<Record<string, TensorData>>,
    more: object,
  ): Promise<T> => {
    checkFeeds(name, created.inputs, feeds);
    return child.call<T>(method, { feeds, ...more }).catch((error: unknown) => {
      throw error instanceof ChildFault ? badRun(name, error.message) : error;
    });
  };
  return {
    inputs: created.inputs,
    outputs: created.outputs,
    loadMs: created.loadMs,
    run: async (feeds, wanted) => guarded('run', feeds, { outputs: carried(wanted) }),
    time: async (feeds, repetitions) => guarded('time', feeds, { outputs: carried(), repetitions }),
    observe: async (feeds, taps, sample) => {
      for (const tap of taps) requireObservable(name, outputTypes, tap);
      await guarded('observe', feeds, { taps, sample });
    },
    observations: async () => {
      const observed = await child.call<Record<string, CrossedObservation>>('observations', {});
      return Object.fromEntries(Object.entries(observed).map(([tensor, one]) => [tensor, observationOf(one)]));
    },
    sampledRows: () => child.call<Record<string, RowSample>>('sampledRows', {}),
    profile: async (feeds, repetitions) => {
      if (!profiled || !isProfiling) throw notProfiled(name, profiled !== undefined);
      isProfiling = false;
      const request = { outputs: carried(), repetitions, folder: profiled.path };
      return guarded<OperatorTime[]>('profile', feeds, request).finally(() => profiled.remove());
    },
    residentBytes: () => child.call<number>('residentBytes', {}),
    close: async () => {
      await child.close();
      profiled?.remove();
    },
  };
}

/** Element types whose numbers can be observed. */
const observable: readonly unknown[] = ['float32', 'float16', 'float64'];

/** @throws E_USAGE for outputs that the model does not have, E_UNSUPPORTED_DTYPE for a tensor that holds no numbers */
function requireObservable(
  model: string,
  outputTypes: ReadonlyMap<string, ElementType | undefined>,
  { output, reduced }: Tap,
): void {
  for (const wanted of [output, ...Object.values(reduced ?? {})])
    if (!outputTypes.has(wanted))
      throw new OptimumError('E_USAGE', `${model} has no output "${wanted}" that could be observed.`);
  const elementType = outputTypes.get(output);
  if (observable.includes(elementType)) return;
  const shown = elementType ?? 'no tensor';
  throw new OptimumError('E_UNSUPPORTED_DTYPE', `${model}: "${output}" is ${shown}; only floats are observed.`);
}

/** The outputs to ask for: those that are wanted, else all that can be handed out. @throws E_UNSUPPORTED_DTYPE, E_USAGE */
function carriedOutputs(
  model: string,
  outputs: readonly Signature[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  const isCarried = ({ elementType }: Signature): boolean => elementType !== undefined && !uncarried.has(elementType);
  const names = outputs.filter(isCarried).map(({ name }) => name);
  for (const name of wanted ?? []) {
    const output = outputs.find((one) => one.name === name);
    if (!output) throw new OptimumError('E_USAGE', `${model} has no output "${name}" (it has ${names.join(', ')}).`);
    if (!isCarried(output)) throw notCarried(model, name, output.elementType);
  }
  const first = outputs[0];
  if (!wanted && names.length === 0 && first) throw notCarried(model, first.name, first.elementType);
  return wanted ?? names;
}
