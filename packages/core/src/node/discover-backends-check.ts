import { isAbsolute, normalize } from 'node:path';
import { type BackendManifest, features } from '../backend/index.ts';

/** What keeps a manifest from being used, or `undefined`. */
export function checkManifest(manifest: BackendManifest): string | undefined {
  if (manifest.spec !== 1) return `it is written for contract ${manifest.spec}, this version speaks 1`;
  for (const key of ['entry', 'targets'] as const) {
    const path: unknown = manifest[key];
    if (typeof path !== 'string' || path === '') return `its manifest has no "${key}"`;
    // A manifest must not make another package's file count as this one's.
    if (isAbsolute(path) || normalize(path).startsWith('..')) return `its "${key}" is outside of the package`;
  }
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with a target file, or `undefined`. Nothing unchecked reaches the matching. */
export function checkTargets(targets: unknown): string | undefined {
  if (!Array.isArray(targets)) return 'its target file is not a list';
  const ids = new Set<string>();
  for (const [index, target] of targets.entries()) {
    if (!isFields(target) || typeof target.id !== 'string') return `target ${index} of its file has no id`;
    const problem = checkTarget(target);
    if (problem) return `target ${target.id} ${problem}`;
    if (ids.has(target.id)) return `target ${target.id} is in its file twice`;
    ids.add(target.id);
  }
  return undefined;
}

function checkTarget(target: Fields): string | undefined {
  if (typeof target.name !== 'string') return 'has no name';
  if (!isListOf(target.features, 'string')) return 'has no list of features';
  const unknown = (target.features as string[]).find((feature) => !(features as readonly string[]).includes(feature));
  if (unknown !== undefined) return `has the unknown feature "${unknown}"`;
  if (typeof target.specificity !== 'number') return 'has no specificity';
  if (!isListOf(target.sources, 'string')) return 'has no list of sources';
  if (target.everywhere !== undefined && typeof target.everywhere !== 'boolean')
    return 'has "everywhere" that is neither true nor false';
  if (!Array.isArray(target.match)) return 'has no list of match rules';
  return target.match.map(checkRule).find((problem) => problem !== undefined);
}

/** What each field of a match rule must be. */
const ruleFields: Readonly<Record<string, (value: unknown) => boolean>> = {
  architecture: (value) => typeof value === 'string',
  vendor: (value) => typeof value === 'string',
  families: (value) => isListOf(value, 'number'),
  models: (value) => isListOf(value, 'number'),
  flags: (value) => isListOf(value, 'string'),
  withoutFlags: (value) => isListOf(value, 'string'),
};

/** A field that is not known would be passed over and let the rule match too much: it is refused. */
function checkRule(rule: unknown): string | undefined {
  if (!isFields(rule)) return 'has a match rule that is no object';
  for (const [field, value] of Object.entries(rule)) {
    const isRight = Object.hasOwn(ruleFields, field) ? ruleFields[field] : undefined;
    if (!isRight) return `has a match rule with the unknown field "${field}"`;
    if (!isRight(value)) return `has a match rule with a wrong "${field}"`;
  }
  return undefined;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isListOf = (value: unknown, type: 'string' | 'number'): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === type);
