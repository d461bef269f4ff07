import { isDeepStrictEqual } from 'node:util';
import type { Backend, TargetSpec } from '../backend/index.ts';
import type { InstalledBackend } from './discover-backends.ts';

/**
 * What is wrong with a backend's code by the contract and by its own manifest, or `undefined`. Each field that core reads
 * is there with its type; what the claims are worth is for the testkit and the verification.
 */
export function checkBackend(backend: Backend, installed: InstalledBackend): string | undefined {
  const given: Unchecked = backend as unknown as Unchecked;
  if (given.specVersion !== 1) return `is written for contract ${String(given.specVersion)}, this version speaks 1`;
  if (given.id !== installed.id) return `calls itself "${String(given.id)}" in its code`;
  return checkRuntime(given.runtime) ?? checkLists(given) ?? checkHooks(given) ?? compareTargets(backend, installed);
}

type Unchecked = Readonly<Record<string, unknown>>;

function checkRuntime(runtime: unknown): string | undefined {
  const { id, capabilities, status, createSession } = (runtime ?? {}) as Unchecked;
  const isRuntime =
    typeof id === 'string' &&
    isListWithIds(capabilities) &&
    typeof status === 'function' &&
    typeof createSession === 'function';
  return isRuntime ? undefined : 'has no runtime';
}

function checkLists({ targets, capabilities, recipes }: Unchecked): string | undefined {
  if (!isListWithIds(targets)) return 'has no list of targets';
  if (capabilities !== undefined && !isListWithIds(capabilities)) return 'has capabilities that are no list of claims';
  if (!isListWithIds(recipes) || recipes.length === 0) return 'has no recipe';
  return undefined;
}

function checkHooks(given: Unchecked): string | undefined {
  const wrong = ['adjustPlan', 'validate', 'estimate'].find(
    (name) => given[name] !== undefined && typeof given[name] !== 'function',
  );
  return wrong && `has ${wrong} that is no function`;
}

/** The target was chosen by the file: code that says otherwise would be planned for by one and run by the other. */
function compareTargets({ targets }: Backend, installed: InstalledBackend): string | undefined {
  const ids = (list: readonly TargetSpec[]): string => list.map(({ id }) => id).join(', ') || 'none';
  const file = installed.manifest.targets;
  if (ids(targets) !== ids(installed.targets))
    return `has the targets ${ids(targets)} in its code and ${ids(installed.targets)} in ${file}`;
  const other = installed.targets.find((target, index) => !isDeepStrictEqual(target, plain(targets[index])));
  return other && `says of target ${other.id} in its code what ${file} does not`;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const isListWithIds = (value: unknown): value is readonly { readonly id: string }[] =>
  Array.isArray(value) && value.every((item) => typeof (item as Unchecked | null)?.id === 'string');
