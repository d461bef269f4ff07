#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error('optimum is not built yet. In a checkout, run: npm start');
  process.exitCode = 2;
}
