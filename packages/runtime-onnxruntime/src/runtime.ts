import { OptimumError, type Runtime } from '@optimum/core';
import { capabilities } from './capabilities.ts';
import { locateRuntime } from './locate.ts';
import { probeVersion } from './probe/probe-version.ts';

export interface OnnxRuntimeOptions {
  /** Folder whose onnxruntime-node counts. @defaultValue the working directory */
  readonly from?: string;
}

/** ONNX Runtime on the CPU, each session in a process of its own. The native library is never loaded here. */
export function createOnnxRuntime(options: OnnxRuntimeOptions = {}): Runtime {
  const runtime: Runtime = {
    specVersion: 1,
    id: 'onnxruntime',
    capabilities,
    limits: { opset: 26, irVersion: 13 },
    probeVersion,
    status: async (from = options.from) => locateRuntime(from),
    async createSession(model, sessionOptions) {
      const { entry } = presentRuntime(sessionOptions?.from ?? options.from);
      // Loaded when a session is wanted: planning and quantizing need no process.
      const { createSession } = await import('./session.ts');
      return createSession(entry, model, sessionOptions);
    },
    async probe(probeOptions) {
      const { version } = presentRuntime(probeOptions?.from ?? options.from);
      const { probe } = await import('./probe/probe.ts');
      return probe(runtime, version, probeOptions);
    },
  };
  return runtime;
}

/** @throws E_BACKEND_MISSING */
function presentRuntime(from: string | undefined): { readonly entry: string; readonly version: string } {
  const found = locateRuntime(from);
  if (found.status === 'found' && found.entry) return { entry: found.entry, version: found.version };
  const { reason, hint } =
    found.status === 'absent' ? found : { reason: 'onnxruntime-node has no entry', hint: undefined };
  throw new OptimumError('E_BACKEND_MISSING', `The runtime is missing: ${reason}.`, { hint });
}

/** The runtime as the working directory sees it. */
export const onnxruntime: Runtime = createOnnxRuntime();
