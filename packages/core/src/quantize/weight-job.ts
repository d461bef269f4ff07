import { type ByteSource, MemorySource } from '../foundation/index.ts';
import { type Tensor, type TensorJob, tensorsOfJob } from '../ir/index.ts';
import { createKernels, type Kernels } from '../kernels/index.ts';
import { type Emit, runWeightTask, type WeightFacts, type WeightTask } from './weight-task.ts';

let shared: Kernels | undefined;

/** A weight to be quantized when it is written. */
export interface WeightJob extends TensorJob {
  /** Present where another thread can open the bytes again: the task and the file. */
  readonly task?: { readonly weight: WeightTask; readonly path: string };
  /** What quantizing showed; there once the job has run. */
  facts: WeightFacts | undefined;
}

/** The quantized tensor and its scale and zero point, computed when they are written. */
export interface QuantizedWeight {
  readonly quantized: Tensor;
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
  readonly job: WeightJob;
}

export type WeightSpec = Omit<WeightTask, 'offset' | 'elementType'>;

/**
 * @param dims dims of the quantized tensor as it is stored in the new model
 * @param scaleDims dims of scale and zero point: `[]`, `[N]`, or `[V, 1]` for a table
 */
export function quantizedWeight(
  tensor: Tensor,
  spec: WeightSpec,
  dims: readonly number[],
  scaleDims: readonly number[],
): QuantizedWeight {
  const { source, offset } = bytesOf(tensor);
  const weight: WeightTask = { ...spec, offset, elementType: tensor.elementType as WeightTask['elementType'] };
  const job: WeightJob = {
    parts: [
      { elementType: spec.elementType8, dims },
      { elementType: 'float32', dims: scaleDims },
      { elementType: spec.elementType8, dims: scaleDims },
    ],
    facts: undefined,
    ...(source.path !== undefined && { task: { weight, path: source.path } }),
    run(emit: Emit, memoryByteLength?: number) {
      shared ??= createKernels();
      job.facts = runWeightTask(weight, source, shared, emit, memoryByteLength);
    },
  };
  const [quantized, scale, zeroPoint] = tensorsOfJob(job) as [Tensor, Tensor, Tensor];
  return { quantized, scale, zeroPoint, job };
}

function bytesOf(tensor: Tensor): { source: ByteSource; offset: number } {
  const { backing } = tensor;
  if (backing.kind === 'range') return { source: backing.source, offset: backing.offset };
  return { source: new MemorySource(tensor.bytes()), offset: 0 };
}
