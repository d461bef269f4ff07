import type { ModelSource, Session, SessionOptions } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import type { OpenSession } from './verify.ts';

/** Session entry with which ONNX Runtime exchanges kernels that saturate for exact ones, from level extended on. */
export const exactKernels = { 'session.x64quantprecision': '1' } as const;

/**
 * A session that computes exactly on a CPU whose kernels saturate. Operators with signed activations do not load with the
 * entry, because it makes their weights unsigned; they need it not, because their kernels add no pairs in 16 bits.
 * @source research: avx2.md section 2
 */
export async function openExact(open: OpenSession, model: ModelSource, options: SessionOptions): Promise<Session> {
  try {
    return await open(model, { ...options, config: { ...options.config, ...exactKernels } });
  } catch (error) {
    if (!OptimumError.isInstance(error) || error.code !== 'E_VERIFY_LOAD') throw error;
    return open(model, options);
  }
}
