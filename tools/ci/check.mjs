// Everything that CI runs, each part counted from its real result. The last line is `N passed, N failed, N skipped`.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './bootstrap.mjs';

const report = join(root, 'artifacts/vitest.json');
const totals = { passed: 0, failed: 0, skipped: 0 };

/** Runs one check and counts it. */
function check(name, command, args, options = {}) {
  console.log(`\n== ${name}`);
  const status = run(command, args, { mayFail: true, ...options });
  totals[status === 0 ? 'passed' : 'failed']++;
  if (status !== 0) console.log(`FAILED: ${name} (exit ${status})`);
  return status;
}

rmSync(report, { force: true });
console.log('== npm test');
const status = run('npm', ['test'], { mayFail: true });
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites, success } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  totals.passed += numPassedTests;
  totals.skipped += numPendingTests + numTodoTests;
  totals.failed += numFailedTests;
  // A file that does not even load has no failed test in it, and a run can fail without one: both count.
  if ((status !== 0 || !success) && numFailedTests === 0) totals.failed += Math.max(1, numFailedTestSuites);
} else {
  totals.failed++;
  console.log('FAILED: npm test wrote no report');
}

check('types', 'npx', ['tsc', '-p', 'tsconfig.json']);
check('lint', 'npx', ['biome', 'check', '--error-on-warnings', '.']);
check('house rules', 'node', ['tools/lint/check.mjs']);
check('generated kernels', 'node', ['tools/kernels/build.mjs', '--check']);
check('unused files and dependencies', 'npx', ['knip']);

console.log('\n== packages');
const reportPackage = (name, error) => {
  totals[error ? 'failed' : 'passed']++;
  console.log(error ? `FAILED: ${name}\n${error.message}` : `ok ${name}`);
};
try {
  // What it imports is installed by `npm test`: in a fresh clone it is not there before.
  const { checkPackages } = await import('./check-packages.mjs');
  await checkPackages(reportPackage);
} catch (error) {
  reportPackage('packages', error);
}

console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);
