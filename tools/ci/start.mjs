// npm start: installs, builds, and quantizes the example model for this CPU.
import { build, install, run } from './bootstrap.mjs';

install();
build();
run('node', [
  'apps/cli/bin/optimum.js',
  'quantize',
  'examples/reviews-bert-256',
  '-o',
  'examples/out/reviews-bert-256-optimized',
  '--force',
  ...process.argv.slice(2),
]);
