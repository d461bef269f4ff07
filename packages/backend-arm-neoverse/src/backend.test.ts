import { readdirSync, readFileSync } from 'node:fs';
import { testBackend } from '@optimum/backend-testkit';
import { parseCpuInfo } from '@optimum/core/node';
import { describe, it } from 'vitest';
import backend from './index.ts';

const folder = new URL('../machines/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8').replace(/^#.*\n/, '');

/** What each machine of machines/ says of itself. */
const machines = Object.fromEntries(
  readdirSync(folder).map((file) => [file.replace('.cpuinfo', ''), parseCpuInfo(read(file), 'arm64', 1)]),
);

testBackend(backend, { describe, it, folder: new URL('..', import.meta.url), machines });
