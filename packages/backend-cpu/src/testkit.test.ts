import { testBackend } from '@optimum/backend-testkit';
import { describe, it } from 'vitest';
import { recordedCpus, recordedFacts } from '../../core/src/node/cpu-facts-recorded.ts';
import backend from './index.ts';

const machines = Object.fromEntries(recordedCpus.map((name) => [name, recordedFacts(name)]));

testBackend(backend, { describe, it, folder: new URL('..', import.meta.url), machines });
