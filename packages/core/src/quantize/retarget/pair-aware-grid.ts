import type { ByteSource } from '../../foundation/index.ts';
import { type Tensor, type TensorJob, tensorsOfJob } from '../../ir/index.ts';
import { createKernels, type Kernels } from '../../kernels/index.ts';
import { runWeightTask, type WeightTask, weightParts } from '../weight-task.ts';
import { integerGrid } from './integer-grid.ts';
import type { PairFacts } from './rewrite.ts';
import { channelCount, type WeightLayout } from './weight-layout.ts';

/** The integers of a weight, on a grid on which no pair of neighbours can pass 16 bits. */
export interface PairAwareGrid {
  /** By what the scale of each output channel grows; 1 where its integers stay as they are. */
  readonly factors: Float32Array;
  readonly facts: PairFacts;
  /** The new integers in the stored layout, with zero point 0; computed when they are written. */
  readonly quantized: Tensor;
}

let shared: Kernels | undefined;

/**
 * Finds how far the scale of each output channel must grow. Reads the weight once, in fixed memory; it is read again when
 * the new integers are written.
 */
export function pairAwareGrid(tensor: Tensor, zeroPoints: readonly number[], layout: WeightLayout): PairAwareGrid {
  const source = integerGrid(tensor, zeroPoints, layout);
  const task = taskOf(layout);
  const factors = new Float32Array(channelCount(layout));
  run(task, source, (part, offset, bytes) => {
    if (part === weightParts.scale) new Uint8Array(factors.buffer).set(bytes, offset);
  });
  const job: TensorJob = {
    parts: [{ elementType: 'int8', dims: tensor.dims }],
    run(emit, memoryByteLength) {
      run(
        task,
        source,
        (part, offset, bytes) => {
          if (part === weightParts.quantized) emit(0, offset, bytes);
        },
        memoryByteLength,
      );
    },
  };
  return { factors, facts: factsOf(factors), quantized: tensorsOfJob(job)[0] as Tensor };
}

function run(task: WeightTask, source: ByteSource, emit: Parameters<typeof runWeightTask>[3], memory?: number): void {
  shared ??= createKernels();
  runWeightTask(task, source, shared, emit, memory);
}

/** Quantizes the integers as if they were the weights: their own grid is the finest that is worth having. */
const taskOf = ({ rows, columns, channels, inputChannels }: WeightLayout): WeightTask => ({
  name: 'integers',
  offset: 0,
  elementType: 'float32',
  rows,
  columns,
  transposed: false,
  scales: channels,
  elementType8: 'int8',
  range: 'pair-aware',
  sameGrid: false,
  alpha: 1,
  leastScale: 1,
  ...(inputChannels !== undefined && { channels: inputChannels }),
});

function factsOf(factors: Float32Array): PairFacts {
  const raised = factors.filter((factor) => factor > 1);
  const sum = raised.reduce((total, factor) => total + factor, 0);
  return { columns: factors.length, risky: raised.length, scaleFactor: raised.length > 0 ? sum / raised.length : 1 };
}

/**
 * Variance of the rounding of a grid that was rounded once more, against that of 7 bits: their step is twice that of the
 * grid. At most 1 where the new grid is no worse.
 */
export function errorAgainst7Bits(factors: Float32Array): number {
  const sum = factors.reduce((total, factor) => total + 1 + (factor > 1 ? factor ** 2 : 0), 0);
  return factors.length > 0 ? sum / (4 * factors.length) : 0;
}
