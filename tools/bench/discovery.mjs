import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { program, root } from './lib/packages.mjs';
import { formatSpread, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { withMemoryFolder } from './lib/subjects.mjs';

const limit = 1.1;
const counts = [0, 1, 10];
const model = join(root, 'examples/reviews-bert-256/onnx/model.onnx');

const commands = {
  'optimum --help': ['--help'],
  'optimum backends': ['backends'],
  // Named, so that every project makes the same plan.
  'optimum quantize --dry-run': ['quantize', model, '--dry-run', '--backend', 'cpu'],
};

export async function run({ rounds, only, log }) {
  const chosen = Object.entries(commands).filter(([name]) => !only || only.some((text) => name.includes(text)));
  return withMemoryFolder(async (folder) => {
    const projects = counts.map((count) => makeProject(join(folder, `with-${count}`), count));
    const data = {};
    for (const [name, args] of chosen) {
      const contestants = Object.fromEntries(
        counts.map((count, index) => [
          `with-${count}`,
          () => runMeasured(process.execPath, [program, ...args], { cwd: projects[index] }),
        ]),
      );
      data[name] = await interleave(contestants, rounds, (line) => log(`${name}: ${line}`));
    }
    return report(rounds, data);
  });
}

/** A project with backends among its dependencies: packages as large as a real one, each with an id of its own. */
function makeProject(folder, count) {
  const real = join(root, 'packages/backend-intel-xeon');
  const manifest = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8'));
  const names = Array.from({ length: count }, (_, index) => `backend-partner-${index}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: Object.fromEntries(names.map((name) => [name, '*'])) }),
  );
  for (const name of names) {
    const place = join(folder, 'node_modules', name);
    for (const part of ['dist', 'targets.json']) cpSync(join(real, part), join(place, part), { recursive: true });
    const backend = { ...manifest.optimum.backend, id: name.replace('backend-', '') };
    writeFileSync(join(place, 'package.json'), JSON.stringify({ ...manifest, name, optimum: { backend } }));
  }
  return folder;
}

function report(rounds, data) {
  const walls = (name, count) => data[name][`with-${count}`].map(({ wallMs }) => wallMs);
  const ratios = Object.keys(data).map((name) => ({
    name,
    one: ratiosOf(walls(name, 1), walls(name, 0)),
    ten: ratiosOf(walls(name, 10), walls(name, 0)),
  }));
  return {
    rounds,
    tables: [
      {
        columns: ['command', 'no backend in the project, median [min–max]', 'with one', 'with ten'],
        rows: ratios.map(({ name, one, ten }) => [
          name,
          formatSpread(spreadOf(walls(name, 0)), 0, ' ms'),
          formatSpread(one, 2, '×'),
          formatSpread(ten, 2, '×'),
        ]),
      },
    ],
    notes: ['The backends that the program itself brings are found in every project, so that there is a plan to make.'],
    failures: ratios
      .filter(({ ten }) => ten.median > limit)
      .map(({ name, ten }) => `${name} with ten backends takes ${ten.median.toFixed(2)}× of none, above ${limit}×`),
    data,
  };
}
