import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { describeOpponent, opponentPython, quantizeWithPython, schemes } from './lib/opponent.mjs';
import { program } from './lib/packages.mjs';
import { formatSpread, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { filesOfModel, generatedModel, warmCache, withMemoryFolder } from './lib/subjects.mjs';

/** Goals for the scheme that costs Python most; the other is shown beside it. */
const goal = { scheme: 'per channel', faster: 15, leaner: 12 };

export async function run({ rounds, only, log }) {
  const python = opponentPython();
  const size = only?.[0] ?? 'bert-base';
  const input = await generatedModel(size, log);
  warmCache(filesOfModel(input));
  const samples = await withMemoryFolder((folder) => interleave(contestantsOf(python, input, folder), rounds, log));
  const results = schemes.map(({ name }) => compare(name, samples));
  return {
    rounds,
    tables: [
      {
        columns: ['scheme', 'who', 'wall, median [min–max]', 'peak memory', 'faster', 'leaner'],
        rows: results.flatMap(({ rows }) => rows),
      },
    ],
    notes: [`Opponent on ${size}: ${describeOpponent(python)}. Ours: one thread, without the proof on the runtime.`],
    failures: results.flatMap(({ failures }) => failures),
    data: samples,
  };
}

function contestantsOf(python, input, folder) {
  const output = join(folder, 'output.onnx');
  const contestants = {};
  for (const scheme of schemes) {
    contestants[`python ${scheme.name}`] = () => {
      rmSync(output, { force: true });
      return quantizeWithPython(python, input, output, scheme);
    };
    contestants[`optimum ${scheme.name}`] = () => {
      rmSync(output, { force: true });
      const flags = ['--recipe', scheme.recipe, '--force', '--no-verify', '--quiet', '--threads', '1'];
      return runMeasured(process.execPath, [program, 'quantize', input, '-o', output, ...flags]);
    };
  }
  return contestants;
}

function compare(scheme, samples) {
  const of = (who, field) => samples[`${who} ${scheme}`].map((sample) => sample[field]);
  const faster = ratiosOf(of('python', 'wallMs'), of('optimum', 'wallMs'));
  const leaner = ratiosOf(of('python', 'residentBytes'), of('optimum', 'residentBytes'));
  const row = (who, ...ratios) => {
    const peak = Math.max(...of(who, 'residentBytes')) / 1e6;
    return [scheme, who, formatSpread(spreadOf(of(who, 'wallMs')), 0, ' ms'), `${peak.toFixed(0)} MB`, ...ratios];
  };
  const failures = [];
  if (scheme === goal.scheme && faster.median < goal.faster)
    failures.push(`${scheme}: ${faster.median.toFixed(1)}× faster, below ${goal.faster}×`);
  if (scheme === goal.scheme && leaner.median < goal.leaner)
    failures.push(`${scheme}: ${leaner.median.toFixed(1)}× leaner, below ${goal.leaner}×`);
  const ratios = [formatSpread(faster, 1, '×'), formatSpread(leaner, 1, '×')];
  return { rows: [row('python', '', ''), row('optimum', ...ratios)], failures };
}
