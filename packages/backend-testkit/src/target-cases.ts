import { type CpuFacts, fits, type MatchRule, matches, type TargetSpec } from '@optimum/core';
import { type BackendCase, BackendCaseError } from './backend-case.ts';
import type { KitContext } from './kit-context.ts';

/** From here on a target is a named device and no class of instruction sets. */
const namedDevice = 100;

/** CPUs of several makers that show every flag which a rule asks for: no rule of one device may recognise two of them. */
const makers = [
  ['x64', 'GenuineIntel'],
  ['x64', 'AuthenticAMD'],
  ['arm64', 'ARM'],
  ['arm64', 'Apple'],
] as const;

/** One case for each target: what it is recognised by. */
export function targetCases({ backend: { targets }, options }: KitContext): BackendCase[] {
  const cases = targets.map((target) => ({
    name: `target ${target.id}`,
    run: async () => {
      const problem = problemOf(target, options);
      if (problem) throw new BackendCaseError(`target ${target.id} ${problem}.`);
    },
  }));
  const ids = targets.map(({ id }) => id);
  const strange = Object.keys(options.unrecorded ?? {}).filter((id) => !ids.includes(id));
  if (strange.length === 0) return cases;
  const run = async (): Promise<void> => {
    throw new BackendCaseError(`"unrecorded" names ${strange.join(', ')}, which is no target (${ids.join(', ')}).`);
  };
  return [...cases, { name: 'unrecorded targets', run }];
}

function problemOf(target: TargetSpec, { machines = {}, unrecorded = {} }: KitContext['options']): string | undefined {
  if (target.sources.length === 0) return 'does not say where its facts are from';
  for (const [index, rule] of target.match.entries()) {
    const wide = widthOf(rule, target);
    if (wide) return `has a match rule (number ${index + 1}) that ${wide}`;
    const isSeen = Object.values(machines).some((facts) => matches(rule, facts) && fits(target, facts));
    if (isSeen || unrecorded[target.id]) continue;
    return `has a match rule (number ${index + 1}) that recognises none of the ${Object.keys(machines).length} machines; record one, or say in "unrecorded" how the rule is known`;
  }
  const reason = unrecorded[target.id];
  return reason !== undefined && reason.trim() === '' ? 'is declared as unrecorded without a reason' : undefined;
}

/** What makes a rule recognise too much, or `undefined`. */
function widthOf(rule: MatchRule, { specificity, everywhere }: TargetSpec): string | undefined {
  const found = makers.filter(([architecture, vendor]) => matches(rule, machineFor(rule, architecture, vendor)));
  if (new Set(found.map(([architecture]) => architecture)).size > 1 && !everywhere)
    return 'matches every architecture; name one';
  if (found.length > 1 && specificity >= namedDevice)
    return `matches CPUs of ${found.map(([, vendor]) => vendor).join(' and ')}, though it is one device; name the vendor`;
  return undefined;
}

const machineFor = (rule: MatchRule, architecture: string, vendor: string): CpuFacts => ({
  architecture,
  vendor,
  modelName: '',
  family: rule.families?.[0],
  model: rule.models?.[0],
  flags: rule.flags ?? [],
  threads: 1,
});
