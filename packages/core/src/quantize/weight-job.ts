import { type ByteSource, MemorySource } from '../foundation/index.ts';
import { type Tensor, type TensorJob, tensorsOfJob } from '../ir/index.ts';
import { createKernels, type Kernels } from '../kernels/index.ts';
import { type BiasTask, biasParts } from './weight-bias.ts';
import type { RoundedWeight } from './weight-override.ts';
import { emitRounded } from './weight-rounded.ts';
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
  /** In the order of the task's biases. */
  readonly biases: readonly { readonly values: Tensor; readonly scale: Tensor }[];
  readonly job: WeightJob;
}

export type WeightSpec = Omit<WeightTask, 'offset' | 'elementType'>;

/** What a quantized weight is made of, and where its parts go. */
export interface WeightOrder {
  readonly tensor: Tensor;
  readonly spec: WeightSpec;
  /** Dims of the quantized tensor as it is stored in the new model. */
  readonly dims: readonly number[];
  /** Dims of scale and zero point: `[]`, `[N]`, or `[V, 1]` for a table. */
  readonly scaleDims: readonly number[];
  /** Integers that an algorithm chose: they are stored in place of rounded ones. */
  readonly rounded?: RoundedWeight | undefined;
}

/** Nothing is read before the job runs: the weight itself may be computed then. */
export function quantizedWeight({ tensor, spec, dims, scaleDims, rounded }: WeightOrder): QuantizedWeight {
  const { backing } = tensor;
  const range = backing.kind === 'range' ? backing : undefined;
  const weight: WeightTask = {
    ...spec,
    offset: range?.offset ?? 0,
    elementType: tensor.elementType as WeightTask['elementType'],
  };
  const path = rounded ? undefined : range?.source.path;
  const job: WeightJob = {
    parts: partsOf(spec, dims, scaleDims),
    facts: undefined,
    ...(path !== undefined && { task: { weight, path } }),
    run(emit: Emit, memoryByteLength?: number) {
      if (rounded) {
        emitRounded(weight, rounded, emit);
        return;
      }
      shared ??= createKernels();
      const source: ByteSource = range?.source ?? new MemorySource(tensor.bytes());
      job.facts = runWeightTask(weight, source, shared, emit, memoryByteLength);
    },
  };
  const tensors = tensorsOfJob(job);
  const [quantized, scale, zeroPoint] = tensors as [Tensor, Tensor, Tensor];
  const biases = (spec.biases ?? []).map((_, index) => {
    const parts = biasParts(index);
    return { values: tensors[parts.values] as Tensor, scale: tensors[parts.scale] as Tensor };
  });
  return { quantized, scale, zeroPoint, biases, job };
}

function partsOf(
  { elementType8, biases = [] }: WeightSpec,
  dims: readonly number[],
  scaleDims: readonly number[],
): TensorJob['parts'] {
  const ofBias = ({ values }: BiasTask): TensorJob['parts'] => [
    { elementType: 'int32', dims: [values.length] },
    { elementType: 'float32', dims: scaleDims },
  ];
  return [
    { elementType: elementType8, dims },
    { elementType: 'float32', dims: scaleDims },
    { elementType: elementType8, dims: scaleDims },
    ...biases.flatMap(ofBias),
  ];
}
