// node tools/bench/run.mjs NAME [--rounds N] [--only TEXT] [--markdown] [--update-docs]; --list names them all.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchmarks } from './benchmarks.mjs';
import { updateDocuments } from './lib/documents.mjs';
import { describeEnvironment, readEnvironment } from './lib/environment.mjs';
import { renderMarkdown, renderText } from './lib/render.mjs';
import { cacheFolder, withoutPlaces } from './lib/subjects.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    'no-verify': { type: 'boolean' },
    markdown: { type: 'boolean' },
    'update-docs': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

const usage = `node tools/bench/run.mjs NAME [options]
  --list         names all benchmarks
  --rounds N     interleaved rounds (each benchmark has its own default)
  --only A,B     only subjects whose name holds one of these
  --no-verify    zoo: only make the files, prove nothing
  --markdown     print Markdown
  --update-docs  put the result into docs/benchmarks.md, at the place of this CPU's class`;

function printList() {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  for (const { name, what } of benchmarks) console.log(`${name.padEnd(width)}  ${what}`);
}

async function runBenchmark(entry) {
  const environment = await readEnvironment();
  const { run } = await entry.load();
  const result = await run({
    rounds: values.rounds ? Number(values.rounds) : entry.rounds,
    only: values.only?.split(','),
    verify: !values['no-verify'],
    environment,
    log: (line) => console.error(`[${entry.name}] ${line}`),
  });
  const heading = [describeEnvironment(environment, result.rounds), ...(entry.reach ? [`Reach: ${entry.reach}.`] : [])];
  report(entry, environment, result, heading.join(' '));
}

function report(entry, environment, result, heading) {
  const markdown = withoutPlaces(renderMarkdown(result, heading));
  console.log(values.markdown ? markdown : withoutPlaces(renderText(result, heading)));
  const file = join(cacheFolder('results'), `${entry.name}.${environment.cpuClass}.json`);
  writeFileSync(file, `${JSON.stringify({ name: entry.name, environment, ...result }, null, 1)}\n`);
  console.error(`[${entry.name}] raw figures: ${file}`);
  if (values['update-docs']) updateDocuments(entry.name, environment.cpuClass, markdown);
  if (result.failures?.length) process.exitCode = 1;
}

const entry = benchmarks.find(({ name }) => name === positionals[0]);
if (values.list) printList();
else if (entry && !values.help) await runBenchmark(entry);
else {
  console.error(positionals[0] && !values.help ? `There is no benchmark "${positionals[0]}".\n\n${usage}` : usage);
  process.exitCode = values.help ? 0 : 2;
}
