import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Model, OptimumError, type Runtime, type TensorData, walkNodes } from '@optimum/core';
import { loadModelSync } from '@optimum/core/node';
import { BackendCaseError } from '../backend-case.ts';
import { feedsOf } from './claim-model.ts';
import { firstOutside } from './compare.ts';
import type { Proof } from './proof.ts';
import { quantizedModel } from './quantize-claim.ts';

/** What the runtime made of a model: the operators that it really ran, and what came out. */
interface Ran {
  readonly optimized: Model;
  readonly outputs: Readonly<Record<string, TensorData>>;
}

/**
 * Makes the model, runs it, and holds the claim to its word: its kernel stands in the optimized graph once for each
 * operator and reads integers, and every output is within its bound.
 * @throws BackendCaseError, and what the runtime throws
 */
export async function runProof(
  proof: Proof,
  runtime: Pick<Runtime, 'createSession'>,
  timeLimitMs: number,
): Promise<void> {
  const { bytes } = quantizedModel(proof);
  const { optimized, outputs } = await runModel(bytes, proof, runtime, timeLimitMs).catch((error: unknown) => {
    throw named(error, proof);
  });
  requireKernels(proof, optimized);
  const problem = firstOutside(proof.subjects, outputs);
  if (!problem) return;
  const { claim } = proof;
  const says = claim.exact === 'always' ? 'exact' : 'exact under the pair rule';
  throw new BackendCaseError(`claim ${claim.id} (${claim.mode}, ${says}): ${problem}.`);
}

/** What the runtime says, with the claim that it says it of. A runtime that is not there is nobody's claim. */
function named(error: unknown, { claim, granularity }: Proof): unknown {
  if (!OptimumError.isInstance(error) || error.code === 'E_BACKEND_MISSING') return error;
  const how = granularity ? `, with weights by ${granularity}` : '';
  return new BackendCaseError(`claim ${claim.id}${how}: ${error.message}`, { cause: error });
}

async function runModel(
  bytes: Uint8Array,
  { subjects }: Proof,
  runtime: Pick<Runtime, 'createSession'>,
  timeLimitMs: number,
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'optimum-claim-'));
  const optimizedModelPath = join(folder, 'optimized.onnx');
  try {
    const session = await runtime.createSession({ bytes }, { threads: 1, optimizedModelPath, timeLimitMs });
    try {
      const outputs = await session.run(feedsOf(subjects));
      const loaded = loadModelSync(optimizedModelPath);
      loaded.close();
      return { optimized: loaded.model, outputs };
    } finally {
      await session.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A kernel that reads what DequantizeLinear gives is the float operator of the same name. */
function requireKernels({ claim, subjects }: Proof, optimized: Model): void {
  if (claim.kernels.length === 0) return;
  const nodes = [...walkNodes(optimized)];
  const found = nodes.filter(
    ({ op, inputs }) => claim.kernels.includes(op) && inputs[0]?.producer?.op !== 'DequantizeLinear',
  ).length;
  if (found >= subjects.length) return;
  const operators = [...new Set(nodes.map(({ op }) => op))].sort();
  throw new BackendCaseError(
    `claim ${claim.id} promises the kernel ${claim.kernels.join(' or ')} for ${subjects.length} operators; the optimized graph has ${found} (it holds ${operators.join(', ')}).`,
  );
}
