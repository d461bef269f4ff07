#!/usr/bin/env node
import { relative } from 'node:path';
import { ask } from '../lib/ask.mjs';
import { makePackage } from '../lib/make-package.mjs';
import { parseOptions, UsageError, usage } from '../lib/options.mjs';

try {
  const given = parseOptions(process.argv.slice(2));
  if (given === 'help') console.log(usage);
  else {
    const { folder, name, next } = makePackage(await ask(given));
    console.log(`${name} is in ${relative('', folder) || '.'}. Now:\n${next.map((line) => `  ${line}`).join('\n')}`);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n(create-backend --help lists the options)`);
  process.exitCode = 2;
}
