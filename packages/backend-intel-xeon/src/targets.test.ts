import { featuresOf, matches, matchTarget, type TargetSpec } from '@optimum/core';
import { describe, expect, it } from 'vitest';
import { recordedCpus, recordedFacts } from '../../core/src/node/cpu-facts-recorded.ts';
import { checkTargets } from '../../core/src/node/discover-backends-check.ts';
import list from '../targets.json' with { type: 'json' };
import backend from './index.ts';

const targets = list as readonly TargetSpec[];

/** The Xeon of each recorded machine; the others are none, or hide what makes them one. */
const xeonOf: Readonly<Record<string, string>> = {
  'xeon-cascade-lake-8260m': 'cascade-lake',
  // Its kernel does not list VNNI: what is left is what Skylake has, and weights for that are right on it.
  'xeon-cascade-lake-8275cl-old-kernel': 'skylake-sp',
  'xeon-cooper-lake-8380h': 'cooper-lake',
  'xeon-emerald-rapids-8592': 'emerald-rapids',
  'xeon-granite-rapids-6980p': 'granite-rapids',
  'xeon-ice-lake-8375c': 'ice-lake-sp',
  'xeon-sapphire-rapids-8480': 'sapphire-rapids',
  'xeon-sierra-forest-6766e': 'sierra-forest',
  'xeon-skylake-6132': 'skylake-sp',
};

describe('the Xeons', () => {
  it('are a target file as the contract wants it', () => expect(checkTargets(list)).toBeUndefined());

  it.each(recordedCpus)('%s', (name) => {
    const facts = recordedFacts(name);
    const found = matchTarget(targets, facts);
    expect(found?.id).toBe(xeonOf[name]);
    expect(featuresOf(facts)).toEqual(expect.arrayContaining([...(found?.features ?? [])]));
  });

  it('each have a machine in these tests', () => {
    expect(new Set(Object.values(xeonOf))).toEqual(new Set(targets.map(({ id }) => id)));
  });

  it('are not told by their model alone: a virtual machine that hides VNNI or AMX is another device', () => {
    for (const name of ['xeon-ice-lake-vm-without-vnni', 'xeon-sapphire-rapids-vm-without-amx'])
      expect(matchTarget(targets, recordedFacts(name))).toBeUndefined();
  });

  it('exclude each other', () => {
    for (const name of recordedCpus) {
      const facts = recordedFacts(name);
      expect(targets.filter(({ match }) => match.some((rule) => matches(rule, facts))).length).toBeLessThanOrEqual(1);
    }
  });
});

describe('the backend', () => {
  it('has the targets of its file, and a recipe', () => {
    expect(backend.id).toBe('intel-xeon');
    expect(backend.targets).toEqual(targets);
    expect(backend.recipes.map(({ id }) => id)).toContain('latency');
  });
});
