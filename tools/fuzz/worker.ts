import { writeFileSync } from 'node:fs';
import { corpus } from './corpus.ts';
import { fuzz } from './run.ts';

/**
 * One slice of a long run, in a process of its own: `worker SEED FIRST COUNT PARTIAL`. The mutant at work is put into
 * the file PARTIAL when it is the first of a block or a block before it went wrong, so that a crash leaves its number;
 * the report goes to standard output.
 */
const [seed = 1, first = 0, count = 1000] = process.argv.slice(2, 5).map(Number);
const partial = process.argv[5];

const report = fuzz(corpus(), {
  seed,
  first,
  count,
  onMutant: partial ? (ordinal) => writeFileSync(partial, String(ordinal)) : undefined,
});
const failures = report.failures.map(({ bytes, ...failure }) => ({
  ...failure,
  bytes: Buffer.from(bytes).toString('base64'),
}));
console.log(JSON.stringify({ ...report, failures }));
