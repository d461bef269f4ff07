import { core, coreNode, onnxruntime } from '../lib/packages.mjs';

export const levels = ['disabled', 'basic', 'extended', 'all'];
const seed = 20_260_101;

/** Sizes for models whose tables of positions are short. */
const smallSizes = [
  undefined,
  new Map([
    ['sequence', 4],
    ['past', 2],
  ]),
];

/**
 * Outputs of two files on the same seeded inputs at every optimization level of the runtime.
 *
 * @param {string} original the float model, whose signature and refusals count
 * @returns {Promise<import('./compare-files.mjs').Comparison[]>} one for each of `levels`
 */
export async function compareRuns(original, python, ours) {
  const cases = await acceptedInputs(original);
  const comparisons = [];
  for (const level of levels) {
    const theirs = await runAll(python, cases, level);
    const own = await runAll(ours, cases, level);
    comparisons.push(compareOutputs(level, theirs, own));
  }
  return comparisons;
}

/** Two sets of made-up inputs that the original takes. @throws when it takes none */
async function acceptedInputs(path) {
  const loaded = coreNode.loadModelSync(path);
  const session = await onnxruntime.createSession({ path });
  try {
    const accepted = [];
    for (const variant of [0, 1]) {
      const feeds = await firstAccepted(
        session,
        smallSizes.map((sizes) => core.makeInputs(loaded.model, { seed: seed + variant, variant, sizes })),
      );
      if (feeds) accepted.push(feeds);
    }
    if (accepted.length === 0) throw new Error(`${path} refuses all made-up inputs`);
    return accepted;
  } finally {
    await session.close();
    loaded.close();
  }
}

async function firstAccepted(session, candidates) {
  for (const feeds of candidates) {
    try {
      await session.run(feeds);
      return feeds;
    } catch (error) {
      if (error.code !== 'E_DATA_MISMATCH') throw error;
    }
  }
  return undefined;
}

async function runAll(path, cases, optimization) {
  const session = await onnxruntime.createSession({ path }, { threads: 1, optimization });
  try {
    const results = [];
    for (const feeds of cases) results.push(await session.run(feeds));
    return results;
  } finally {
    await session.close();
  }
}

function compareOutputs(level, theirs, own) {
  let [elements, different, largest] = [0, 0, 0];
  theirs.forEach((outputs, index) => {
    for (const [name, tensor] of Object.entries(outputs)) {
      const [a, b] = [core.numbersOf(tensor), core.numbersOf(own[index][name])];
      elements += a.length;
      if (a.length !== b.length) different += a.length;
      for (let at = 0; at < a.length && a.length === b.length; at++) {
        if (Object.is(a[at], b[at])) continue;
        different++;
        largest = Math.max(largest, Math.abs(a[at] - b[at]));
      }
    }
  });
  if (different === 0) return { identical: true, summary: 'same' };
  const summary = `${different} of ${elements} differ, by ${largest.toPrecision(2)} at most`;
  return { identical: false, summary, first: `outputs at level ${level}: ${summary}` };
}
