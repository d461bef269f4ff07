/**
 * Runs contestants in turn, round by round (A B A B …), after one round that does not count.
 *
 * @template Sample
 * @param {Readonly<Record<string, () => Promise<Sample>>>} contestants
 * @param {number} rounds
 * @param {(line: string) => void} [log]
 * @returns {Promise<Record<string, Sample[]>>}
 */
export async function interleave(contestants, rounds, log = () => {}) {
  const names = Object.keys(contestants);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    log(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const name of names) {
      const sample = await contestants[name]();
      if (round > 0) samples[name].push(sample);
    }
  }
  return samples;
}
