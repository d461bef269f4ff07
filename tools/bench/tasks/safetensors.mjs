import { readFileSync } from 'node:fs';

const arrays = { F32: Float32Array, U8: Uint8Array };

/** Tensors of a small trusted file by name. @returns {Record<string, { dims: number[], data: Float32Array | Uint8Array }>} */
export function readSafetensors(path) {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString());
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return Object.fromEntries(
    tensors.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const data = new arrays[dtype](
          bytes.buffer.slice(bytes.byteOffset + 8 + headerLength + from, bytes.byteOffset + 8 + headerLength + to),
        );
        return [name, { dims: shape, data }];
      },
    ),
  );
}

/** One sample of a tensor whose first axis runs over samples. */
export function sampleOf({ dims, data }, index) {
  const size = dims.slice(1).reduce((a, b) => a * b, 1);
  return data.subarray(index * size, (index + 1) * size);
}
