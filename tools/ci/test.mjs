// npm test: installs, builds, and runs every test; the report goes to artifacts/vitest.json.
import { build, install, run } from './bootstrap.mjs';

install();
build();
run('npx', [
  'vitest',
  'run',
  '--reporter=default',
  '--reporter=json',
  '--outputFile.json=artifacts/vitest.json',
  ...process.argv.slice(2),
]);
