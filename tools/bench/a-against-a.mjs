import { coreNode, programFolder } from './lib/packages.mjs';
import { median } from './lib/statistics.mjs';
import { generatedModel } from './lib/subjects.mjs';

/** Ratios this near to 1, and intervals that hold 1 in this part of the runs. */
const goal = { ratio: 0.02, holding: 0.9 };
const sequence = 32;
/** Each run is a comparison as a user makes it, only shorter. */
const settings = { rounds: 6, durationMs: 1500 };

/** `rounds` counts the comparisons here; each of them has rounds of its own. */
export async function run({ rounds, only, log }) {
  const size = only?.[0] ?? 'tiny';
  const model = await generatedModel(size, log);
  const speedups = [];
  for (let seed = 1; seed <= rounds; seed++) {
    log(`comparison ${seed} of ${rounds}`);
    const request = { models: [model, model], sequences: [sequence], seed, programFolder, ...settings };
    const { points, busyBefore } = await coreNode.benchmark(request);
    speedups.push({ ...points[1].speedup, busyBefore });
  }
  return resultOf(size, speedups);
}

function resultOf(size, speedups) {
  const ratios = speedups.map(({ value }) => value);
  const middle = median(ratios);
  const holding = speedups.filter(({ low, high }) => low <= 1 && 1 <= high).length;
  const near = ratios.filter((ratio) => Math.abs(ratio - 1) <= goal.ratio).length;
  const widths = speedups.map(({ low, high }) => high - low);
  const total = speedups.length;
  const row = (what, found, reach = '') => [what, found, reach];
  return {
    rounds: total,
    tables: [
      {
        columns: ['what', 'found', 'reach'],
        rows: [
          row('ratio, median', middle.toFixed(4), `1.00 ± ${goal.ratio}`),
          row('ratio, least and greatest', `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`),
          row(`ratios within ± ${goal.ratio}`, `${near} of ${total}`),
          row('95 % intervals that hold 1', `${holding} of ${total}`, `≥ ${100 * goal.holding} of 100`),
          row('width of the interval, median', median(widths).toFixed(3)),
        ],
      },
    ],
    notes: [
      `${size} at 1×${sequence}, one thread, against itself: ${total} comparisons of ${settings.rounds} rounds with fresh processes and ${settings.durationMs / 1000} s of running; ${speedups.filter(({ busyBefore }) => busyBefore > 0.1).length} of them on a machine that was busy before, where intervals are wider.`,
    ],
    failures: [
      ...(Math.abs(middle - 1) > goal.ratio ? [`the median ratio is ${middle.toFixed(3)}`] : []),
      ...(near < goal.holding * total ? [`only ${near} of ${total} ratios are within ± ${goal.ratio} of 1`] : []),
      ...(holding < goal.holding * total ? [`only ${holding} of ${total} intervals hold 1`] : []),
    ],
    data: { speedups },
  };
}
