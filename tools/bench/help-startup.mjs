import { interleave } from './lib/interleave.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { program } from './lib/packages.mjs';
import { formatSpread, ratiosOf, spreadOf } from './lib/statistics.mjs';

const limit = 1.5;

export async function run({ rounds, log }) {
  const samples = await interleave(
    {
      node: () => runMeasured(process.execPath, ['-e', '0']),
      help: () => runMeasured(process.execPath, [program, '--help']),
    },
    rounds,
    log,
  );
  const walls = (name) => samples[name].map(({ wallMs }) => wallMs);
  const ratio = ratiosOf(walls('help'), walls('node'));
  const shown = (name) => formatSpread(spreadOf(walls(name)), 0, ' ms');
  return {
    rounds,
    tables: [
      {
        columns: ['command', 'wall, median [min–max]', 'against node'],
        rows: [
          ['node -e 0', shown('node'), '1'],
          ['optimum --help', shown('help'), formatSpread(ratio, 2, '×')],
        ],
      },
    ],
    failures: ratio.median > limit ? [`optimum --help takes ${ratio.median.toFixed(2)}× of node, above ${limit}×`] : [],
    data: samples,
  };
}
