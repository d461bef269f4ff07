import { type Tensor, type TensorJob, tensorsOfJob } from '../../ir/index.ts';

const signBits = 0x80808080;

/**
 * The tensor with 128 added to each of its bytes, as the other 8-bit type: uint8 becomes int8 with every number 128 lower,
 * int8 becomes uint8 with every number 128 higher. It is computed while it is written, a chunk at a time.
 */
export function flippedTensor(tensor: Tensor): Tensor {
  const elementType = tensor.elementType === 'uint8' ? 'int8' : 'uint8';
  const job: TensorJob = {
    parts: [{ elementType, dims: tensor.dims }],
    run(emit) {
      let offset = 0;
      for (const chunk of tensor.chunks()) {
        emit(0, offset, flippedBytes(chunk));
        offset += chunk.byteLength;
      }
    },
  };
  return tensorsOfJob(job)[0] as Tensor;
}

/** A copy, four bytes at a time. */
function flippedBytes(bytes: Uint8Array): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes.byteLength / 4));
  const copy = new Uint8Array(words.buffer, 0, bytes.byteLength);
  copy.set(bytes);
  for (let index = 0; index < words.length; index++) words[index] = (words[index] as number) ^ signBits;
  return copy;
}
