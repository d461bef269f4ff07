import { OptimumError } from '@optimum/core';

/** The errors by which a session ends, each with what to do. */

const otherVersion = 'Another version of onnxruntime-node may do better: npm install onnxruntime-node@1.30.0';

export const interrupted = (): OptimumError =>
  new OptimumError('E_INTERRUPTED', 'Interrupted; the runtime was stopped.');

export const closed = (model: string): OptimumError =>
  new OptimumError('E_INTERRUPTED', `The session of ${model} was closed.`, { context: { model } });

export const notStarted = (model: string, error: Error): OptimumError =>
  new OptimumError('E_BACKEND_CRASHED', `No process could be started for ${model}: ${error.message}.`, {
    cause: error,
    context: { model },
    hint: 'The system may be out of processes or memory (ulimit -u).',
  });

export const crashed = (model: string, how: string, log: readonly string[]): OptimumError =>
  new OptimumError(
    'E_BACKEND_CRASHED',
    `ONNX Runtime crashed on ${model}: ${how}${log.length > 0 ? `; last words: ${log.join(' | ')}` : ''}.`,
    { context: { model, how, log: [...log] }, hint: `The crash was contained. ${otherVersion}` },
  );

export const timedOut = (model: string, method: string, timeLimitMs: number): OptimumError =>
  new OptimumError(
    'E_BACKEND_TIMEOUT',
    `ONNX Runtime did not finish "${method}" on ${model} within ${timeLimitMs} ms and was stopped.`,
    {
      context: { model, method, timeLimitMs },
      hint: 'The model may loop for ever on such inputs: try others with --data, or leave out the proof with --no-verify.',
    },
  );

export const tooLarge = (model: string, resident: number, limit: number): OptimumError =>
  new OptimumError(
    'E_LIMIT_MEMORY',
    `ONNX Runtime grew to ${resident} bytes on ${model}, past the limit of ${limit}, and was stopped.`,
    {
      context: { model, resident, limit },
      hint: 'Free some memory, or leave out the proof with --no-verify.',
    },
  );

/** The native library itself does not load: another system, another processor, a broken installation. */
export const notLoadable = (modulePath: string, message: string): OptimumError =>
  new OptimumError('E_BACKEND_INCOMPATIBLE', `onnxruntime-node does not load here: ${clean(message)}`, {
    context: { modulePath },
    hint: 'It needs glibc 2.28 or newer, not musl (Alpine); in a container, use an image such as node:22-slim. Or install it again: npm install onnxruntime-node@1.30.0 --ignore-scripts',
  });

export const refused = (model: string, message: string): OptimumError =>
  new OptimumError('E_VERIFY_LOAD', `${model} does not load on ONNX Runtime: ${clean(message)}`, {
    context: { model },
    hint: 'The installed onnxruntime-node may be older than the model; optimum doctor shows its version.',
  });

export const mismatch = (model: string, input: string, what: string): OptimumError =>
  new OptimumError('E_DATA_MISMATCH', `${model}: input "${input}": ${what}.`, { context: { model, input } });

export const badRun = (model: string, message: string): OptimumError =>
  new OptimumError('E_DATA_MISMATCH', `${model}: the runtime refused to run: ${clean(message)}`, {
    context: { model },
  });

/** @param wasProfiled that it was made with `profile`, and has told already */
export const notProfiled = (model: string, wasProfiled: boolean): OptimumError =>
  new OptimumError(
    'E_USAGE',
    wasProfiled
      ? `The session of ${model} was profiled already, and profiling ended with that.`
      : `The session of ${model} keeps no times of operators.`,
    { hint: 'Make a session with { profile: true } for each profile.', context: { model } },
  );

export const notCarried = (model: string, output: string, elementType: string | undefined): OptimumError =>
  new OptimumError(
    'E_UNSUPPORTED_DTYPE',
    `${model}: output "${output}" is ${elementType ?? 'no tensor'}, which onnxruntime-node cannot hand out.`,
    { hint: 'Put a Cast to float32 or int8 before the output.', context: { model, output, elementType } },
  );

/** The runtime's messages carry paths of the machine that built it; they say nothing to a user. */
export const clean = (message: string): string =>
  message
    .replace(/(?:[A-Za-z]:)?\/(?:[\w.-]+\/)*[\w.-]+\.(?:cc|h|cpp)(?::\d+)?\s*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 600);
