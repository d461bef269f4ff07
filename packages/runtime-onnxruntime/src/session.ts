import {
  type ModelSource,
  OptimumError,
  type Session,
  type SessionOptions,
  type Signature,
  type TensorData,
} from '@optimum/core';
import { ChildFault, SessionChild } from './session-child.ts';

const defaultTimeLimitMs = 120_000;

/** Element types that this binding cannot carry: 4-bit outputs even abort the process. */
const uncarried = new Set(['int4', 'uint4', 'int2', 'uint2', 'float4e2m1', 'bfloat16', 'complex64', 'complex128']);

interface Created {
  readonly loadMs: number;
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
}

/** Starts a process, loads the model in it. @throws E_VERIFY_LOAD and what SessionChild throws */
export async function createSession(
  modulePath: string,
  model: ModelSource,
  options: SessionOptions = {},
): Promise<Session> {
  const name = 'path' in model ? model.path : 'a model in memory';
  const child = new SessionChild({
    model: name,
    timeLimitMs: options.timeLimitMs ?? defaultTimeLimitMs,
    memoryLimitBytes: options.memoryLimitBytes,
    signal: options.signal,
  });
  try {
    const request = {
      modulePath,
      model: 'path' in model ? model.path : model.bytes,
      options: nativeOptions(model, options),
    };
    const created = await child.call<Created>('create', request).catch((error: unknown) => {
      throw error instanceof ChildFault ? refused(name, error.message) : error;
    });
    return sessionOf(child, name, created);
  } catch (error) {
    await child.close();
    throw error;
  }
}

function nativeOptions(model: ModelSource, options: SessionOptions) {
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
  };
}

function sessionOf(child: SessionChild, name: string, created: Created): Session {
  const outputsOf = (wanted: readonly string[] | undefined): readonly string[] =>
    carriedOutputs(name, created.outputs, wanted);
  const guarded = async <T>(
    method: string,
    parameters: { feeds: Readonly<Record<string, TensorData>> },
  ): Promise<T> => {
    checkFeeds(name, created.inputs, parameters.feeds);
    return child.call<T>(method, parameters).catch((error: unknown) => {
      throw error instanceof ChildFault ? badRun(name, error.message) : error;
    });
  };
  return {
    inputs: created.inputs,
    outputs: created.outputs,
    loadMs: created.loadMs,
    run: async (feeds, outputs) => guarded('run', { feeds, outputs: outputsOf(outputs) } as { feeds: typeof feeds }),
    time: async (feeds, repetitions) =>
      guarded('time', { feeds, outputs: outputsOf(undefined), repetitions } as { feeds: typeof feeds }),
    residentBytes: () => child.call<number>('residentBytes', {}),
    close: () => child.close(),
  };
}

function carriedOutputs(
  model: string,
  outputs: readonly Signature[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  const isCarried = ({ elementType }: Signature): boolean => elementType !== undefined && !uncarried.has(elementType);
  const refusedOutput = outputs.find((output) => wanted?.includes(output.name) && !isCarried(output));
  const names = outputs.filter(isCarried).map(({ name }) => name);
  if (!refusedOutput && (names.length > 0 || wanted)) return wanted ?? names;
  throw new OptimumError(
    'E_UNSUPPORTED_DTYPE',
    `${model}: output "${refusedOutput?.name ?? outputs[0]?.name}" is ${refusedOutput?.elementType ?? outputs[0]?.elementType ?? 'no tensor'}, which onnxruntime-node cannot hand out.`,
    { hint: 'Put a Cast to float32 or int8 before the output.' },
  );
}

/** @throws E_DATA_MISMATCH naming the input, what was expected and what came */
function checkFeeds(model: string, inputs: readonly Signature[], feeds: Readonly<Record<string, TensorData>>): void {
  for (const name of Object.keys(feeds)) {
    if (inputs.some((input) => input.name === name)) continue;
    throw mismatch(model, name, `the model has no such input (it has ${inputs.map((input) => input.name).join(', ')})`);
  }
  for (const { name, elementType, shape } of inputs) {
    const feed = feeds[name];
    if (!feed) throw mismatch(model, name, 'it is missing');
    if (elementType && feed.elementType !== elementType)
      throw mismatch(model, name, `expected ${elementType}, got ${feed.elementType}`);
    if (shape && shape.length !== feed.dims.length)
      throw mismatch(model, name, `expected ${shape.length} dimensions, got [${feed.dims.join(', ')}]`);
  }
}

const mismatch = (model: string, input: string, what: string): OptimumError =>
  new OptimumError('E_DATA_MISMATCH', `${model}: input "${input}": ${what}.`, { context: { model, input } });

const badRun = (model: string, message: string): OptimumError =>
  new OptimumError('E_DATA_MISMATCH', `${model}: the runtime refused to run: ${clean(message)}`, {
    context: { model },
  });

const refused = (model: string, message: string): OptimumError =>
  new OptimumError('E_VERIFY_LOAD', `${model} does not load on ONNX Runtime: ${clean(message)}`, {
    context: { model },
    hint: 'The installed onnxruntime-node may be older than the model; optimum doctor shows its version.',
  });

/** The runtime's messages carry paths of the machine that built it; they say nothing to a user. */
const clean = (message: string): string =>
  message
    .replace(/(?:[A-Za-z]:)?\/(?:[\w.-]+\/)*[\w.-]+\.(?:cc|h|cpp)(?::\d+)?\s*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 600);
