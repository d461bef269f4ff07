#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// What this program holds in JavaScript is small and lives long, and its work is done outside the heap: a heap that
// grows for the sake of speed would only cost memory.
setFlagsFromString('--semi-space-growth-factor=1');

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error('optimum is not built yet. In a checkout, run: npm start');
  process.exitCode = 2;
}
