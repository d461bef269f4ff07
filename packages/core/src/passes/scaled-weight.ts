import type { ConstantRef } from '../analysis/index.ts';
import {
  addNode,
  elementCount,
  intsAttribute,
  type Node,
  Tensor,
  type TensorJob,
  tensorOfBytes,
  type Value,
} from '../ir/index.ts';

/** Larger weights are computed while they are written; a smaller one costs less than the job that would make it. */
const materializedByteLength = 1 << 20;

type FactorOf = (first: number, second: number) => number;

/**
 * Gives a node another weight: the old one with the elements at [first, second, …] multiplied by `factorOf(first,
 * second)`, of the dims that the node reads.
 */
export function scaleWeight(node: Node, weight: ConstantRef, factorOf: FactorOf): void {
  const { graph } = node;
  if (!graph) return;
  const { dims, transposed, root } = weight;
  const [first = 1, second = 1] = dims;
  const stored = transposed ? [second, first] : dims;
  const tensor = scaledTensor(weight, stored, transposed ? (row, column) => factorOf(column, row) : factorOf);
  const value = graph.addInitializer(tensor, derivedName(root.name));
  node.setInput(1, transposed ? transposedValue(node, value) : value);
}

/** The name of what stands for a constant once something is folded into it. */
export const derivedName = (name: string | undefined): string | undefined =>
  name && (name.endsWith('_folded') ? name : `${name}_folded`);

const transposedValue = (node: Node, value: Value): Value | undefined =>
  node.graph &&
  addNode(node.graph, 'Transpose', { inputs: [value], attributes: { perm: intsAttribute([1, 0]) } }, node).outputs[0];

function scaledTensor({ tensor }: ConstantRef, dims: readonly number[], factorOf: FactorOf): Tensor {
  const job: TensorJob = {
    parts: [{ elementType: 'float32', dims }],
    run(emit) {
      let offset = 0;
      for (const chunk of tensor.chunks()) {
        const values = scaledChunk(chunk, offset / 4, dims, factorOf);
        emit(0, offset, new Uint8Array(values.buffer));
        offset += chunk.byteLength;
      }
    },
  };
  const lazy = new Tensor('float32', dims, { kind: 'computed', job, part: 0 });
  if (tensor.byteLength > materializedByteLength) return lazy;
  return tensorOfBytes('float32', dims, lazy.bytes());
}

/** The elements from flat index `start` on, in float32. */
function scaledChunk(chunk: Uint8Array, start: number, dims: readonly number[], factorOf: FactorOf): Float32Array {
  const values = new Float32Array(new Uint8Array(chunk).buffer);
  const second = dims[1] ?? 1;
  const inner = elementCount(dims.slice(2));
  for (let index = 0; index < values.length; ) {
    const row = Math.floor((start + index) / inner);
    const end = Math.min(values.length, (row + 1) * inner - start);
    const factor = factorOf(Math.floor(row / second), row % second);
    for (; index < end; index++) values[index] = (values[index] as number) * factor;
  }
  return values;
}

/**
 * For each first index, the sum over all elements times `numberOf(first, second)`: what a constant on the input adds to
 * each filter's output. In float64.
 */
export function weightedSums({ tensor, dims }: ConstantRef, numberOf: FactorOf): readonly number[] {
  const sums = new Array<number>(dims[0] ?? 1).fill(0);
  const inner = elementCount(dims.slice(2));
  const second = dims[1] ?? 1;
  let index = 0;
  for (const chunk of tensor.chunks()) {
    for (const value of new Float32Array(new Uint8Array(chunk).buffer)) {
      const row = Math.floor(index++ / inner);
      const filter = Math.floor(row / second);
      sums[filter] = (sums[filter] as number) + value * numberOf(filter, row % second);
    }
  }
  return sums;
}
