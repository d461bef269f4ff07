// What the taps show in one run.
import { counts } from './float-bits.mjs';

/**
 * Runs once. Taps with reductions give scalars; a tensor whose scalars show NaN, infinity or a sentinel is fetched whole
 * by a second run.
 * @param run (outputs) => tensors by name
 * @returns for each tap the tensor, or what its reductions say
 */
export async function fetchSeen(run, taps) {
  if (taps.length === 0) return [];
  const results = await run(taps.flatMap(({ output, reduced }) => (reduced ? Object.values(reduced) : [output])));
  const unclear = taps.filter(({ reduced }) => reduced && !isClear(results, reduced));
  const whole = unclear.length > 0 ? await run(unclear.map(({ output }) => output)) : {};
  return taps.map((tap) => {
    const tensor = tap.reduced ? whole[tap.output] : results[tap.output];
    return tensor ? { tap, tensor: plain(tensor) } : { tap, reduced: reducedOf(results, tap.reduced) };
  });
}

/** What of a tensor crosses to another thread. Some engines cannot hand over arrays of float16. */
const plain = ({ type, dims, data }) => ({
  type,
  dims,
  data: type === 'float16' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data,
});

const scalar = (results, name) => Number(results[name].data[0]);

/** NaN and infinity reach the sum; the extremes of an empty tensor are infinite, and masks are at one of the ends. */
function isClear(results, { min, max, sum }) {
  return counts(scalar(results, min)) && counts(scalar(results, max)) && Number.isFinite(scalar(results, sum));
}

/** -0 becomes 0, as in a scan. */
const reducedOf = (results, { min, max, size }) => ({
  elements: scalar(results, size),
  min: scalar(results, min) + 0,
  max: scalar(results, max) + 0,
});
