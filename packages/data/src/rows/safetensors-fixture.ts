/** A tensor of a file that a test writes. */
export interface FixtureTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file of these tensors. @source huggingface/safetensors, README, "Format" */
export function writeSafetensors(tensors: Readonly<Record<string, FixtureTensor>>): Uint8Array {
  let end = 0;
  const header = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const start = end;
    end += bytes.byteLength;
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const all = Object.values(tensors).map(({ bytes }) => bytes);
  return withHeader(JSON.stringify(Object.fromEntries(header)), Buffer.concat(all));
}

/** A file with any header. */
export function withHeader(header: string, data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}
