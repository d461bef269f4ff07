import { type Emit, weightParts } from './weight-task.ts';

/** Integers that 4 bits hold, and how many there are between the ends. */
const least = -8;
const most = 7;
export const steps4 = most - least;

/**
 * Takes int8 parts and emits them in 4 bits, two to a byte, the lower half first. Each part has to come in one piece:
 * what starts at an odd element has no byte of its own.
 * @source onnx/onnx.proto (TensorProto.INT4)
 */
export const packingEmit =
  (emit: Emit): Emit =>
  (part, offset, bytes) => {
    const isInteger = part === weightParts.quantized || part === weightParts.zeroPoint;
    emit(part, offset, isInteger ? packed(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)) : bytes);
  };

function packed(values: Int8Array): Uint8Array {
  const result = new Uint8Array(Math.ceil(values.length / 2));
  values.forEach((value, index) => {
    const nibble = Math.min(most, Math.max(least, value)) & 0xf;
    const at = index >> 1;
    result[at] = (result[at] as number) | (index % 2 === 0 ? nibble : nibble << 4);
  });
  return result;
}
