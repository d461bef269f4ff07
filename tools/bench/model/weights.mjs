import { core } from '../lib/packages.mjs';

const pieceLength = 1 << 18;

/**
 * A float32 tensor of seeded normal numbers that is made while it is written, in pieces of 1 MiB. The seed of a tensor
 * follows from its name, so that its bytes do not depend on the order of the work.
 *
 * @param {string} name
 * @param {readonly number[]} dims
 * @param {{ mean?: number, deviation: number }} distribution
 * @param {number} seed
 */
export function normalTensor(name, dims, distribution, seed) {
  const job = {
    parts: [{ elementType: 'float32', dims }],
    run: (emit) => emitNormals(core.elementCount(dims), distribution, seed ^ hash(name), emit),
  };
  return core.tensorsOfJob(job)[0];
}

function emitNormals(count, { mean = 0, deviation }, seed, emit) {
  const random = core.seededRandom(seed);
  const piece = new Float32Array(Math.min(pieceLength, count));
  for (let done = 0; done < count; done += piece.length) {
    const length = Math.min(piece.length, count - done);
    fillNormals(piece, mean, deviation, random);
    emit(0, done * 4, new Uint8Array(piece.buffer, 0, length * 4));
  }
}

/** Box–Muller with both of its numbers: generating is most of the time it takes to make a large model. */
function fillNormals(piece, mean, deviation, random) {
  for (let index = 0; index < piece.length; index += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.next()));
    const angle = 2 * Math.PI * random.next();
    piece[index] = mean + radius * Math.cos(angle);
    if (index + 1 < piece.length) piece[index + 1] = mean + radius * Math.sin(angle);
  }
}

/** FNV-1a, 32 bits. */
function hash(text) {
  let state = 0x811c9dc5;
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193);
  return state >>> 0;
}
