import { OptimumError, type Runtime } from '@optimum/core';
import { capabilities } from './capabilities.ts';
import { locateRuntime } from './locate.ts';

export interface OnnxRuntimeOptions {
  /** Folder whose onnxruntime-node counts. @defaultValue the working directory */
  readonly from?: string;
}

/** ONNX Runtime on the CPU, each session in a process of its own. The native library is never loaded here. */
export function createOnnxRuntime(options: OnnxRuntimeOptions = {}): Runtime {
  return {
    specVersion: 1,
    id: 'onnxruntime',
    capabilities,
    limits: { opset: 26, irVersion: 13 },
    status: async (from = options.from) => locateRuntime(from),
    async createSession(model, sessionOptions) {
      const found = locateRuntime(sessionOptions?.from ?? options.from);
      if (found.status === 'absent' || !found.entry) {
        const { reason, hint } =
          found.status === 'absent' ? found : { reason: 'onnxruntime-node has no entry', hint: undefined };
        throw new OptimumError('E_BACKEND_MISSING', `The runtime is missing: ${reason}.`, { hint });
      }
      // Loaded when a session is wanted: planning and quantizing need no process.
      const { createSession } = await import('./session.ts');
      return createSession(found.entry, model, sessionOptions);
    },
  };
}

/** The runtime as the working directory sees it. */
export const onnxruntime: Runtime = createOnnxRuntime();
