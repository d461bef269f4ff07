import type { Random } from '../../packages/core/src/foundation/index.ts';
import { join } from './protobuf-tree.ts';

type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const flip: ByteMutation = (bytes, random) => {
  const result = bytes.slice();
  for (let count = 1 + random.integer(4); count > 0; count--) {
    const at = random.integer(result.length);
    result[at] = (result[at] as number) ^ (1 << random.integer(8));
  }
  return result;
};

const overwrite: ByteMutation = (bytes, random) => {
  const result = bytes.slice();
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  result[random.integer(result.length)] = random.next() < 0.5 ? random.pick(extremes) : random.integer(256);
  return result;
};

const truncate: ByteMutation = (bytes, random) => bytes.slice(0, random.integer(bytes.length));

const insert: ByteMutation = (bytes, random) => {
  const at = random.integer(bytes.length + 1);
  const more = Uint8Array.from({ length: 1 + random.integer(16) }, () => random.integer(256));
  return join([bytes.subarray(0, at), more, bytes.subarray(at)]);
};

const remove: ByteMutation = (bytes, random) => {
  const at = random.integer(bytes.length);
  return join([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(16))]);
};

const duplicate: ByteMutation = (bytes, random) => {
  const from = random.integer(bytes.length);
  const piece = bytes.subarray(from, from + 1 + random.integer(64));
  const at = random.integer(bytes.length + 1);
  return join([bytes.subarray(0, at), piece, bytes.subarray(at)]);
};

const mutations = [flip, overwrite, truncate, insert, remove, duplicate];

/** Damages bytes as disks, networks and editors do, without a thought for what they mean. */
export const mutateBytes: ByteMutation = (bytes, random) =>
  bytes.length === 0 ? bytes : random.pick(mutations)(bytes, random);
