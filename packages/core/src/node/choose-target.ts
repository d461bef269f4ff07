import {
  type Backend,
  type CpuFacts,
  fits,
  matchTarget,
  type Recipe,
  type Target,
  type TargetSpec,
} from '../backend/index.ts';
import { nearestNames, OptimumError } from '../foundation/index.ts';
import type { InstalledBackend } from './discover-backends.ts';

export interface Choice {
  readonly installed: InstalledBackend;
  readonly target: Target;
}

/**
 * The target to make the model for: the one that is named, else the best match for this CPU over all backends, else
 * one that is right everywhere.
 * @throws E_BACKEND_MISSING when nothing fits, E_BACKEND_INCOMPATIBLE, E_USAGE for an unknown target or backend
 */
export function chooseTarget(
  installed: readonly InstalledBackend[],
  facts: CpuFacts,
  wanted: { readonly backend?: string | undefined; readonly target?: string | undefined } = {},
): Choice {
  const usable = usableBackends(installed, wanted.backend);
  const pick = (find: (targets: readonly TargetSpec[]) => TargetSpec | undefined): Choice | undefined =>
    usable
      .flatMap((backend) => choice(backend, find(backend.targets), facts))
      .sort((a, b) => b.target.specificity - a.target.specificity)[0];
  if (wanted.target !== undefined) {
    const named = pick((targets) => targets.find(({ id }) => id === wanted.target));
    if (!named) throw unknownTarget(wanted.target, usable);
    return named;
  }
  const found = pick((targets) => matchTarget(targets, facts)) ?? pick((targets) => targets.find(isEverywhere));
  if (!found) throw noMatch(facts, usable);
  return found;
}

const isEverywhere = ({ everywhere }: TargetSpec): boolean => everywhere === true;

function usableBackends(installed: readonly InstalledBackend[], id: string | undefined): readonly InstalledBackend[] {
  const named = id === undefined ? installed : installed.filter((backend) => backend.id === id);
  if (id !== undefined && named.length === 0) throw unknownBackend(id, installed);
  const usable = named.filter(({ problem }) => problem === undefined);
  if (usable.length > 0) return usable;
  const broken = named[0];
  if (broken) {
    throw new OptimumError(
      'E_BACKEND_INCOMPATIBLE',
      `Backend ${broken.id} (${broken.package} ${broken.version}) cannot be used: ${broken.problem}.`,
      {
        hint: `Update it: npm install ${broken.package}@latest`,
      },
    );
  }
  throw new OptimumError('E_BACKEND_MISSING', 'No backend is installed, so nothing is known about this CPU.', {
    hint: 'npm install @optimum/backend-cpu (any CPU) or @optimum/backend-intel-xeon',
  });
}

function unknownBackend(id: string, installed: readonly InstalledBackend[]): OptimumError {
  const ids = installed.map((backend) => backend.id);
  const near = nearestNames(id, ids);
  return new OptimumError('E_USAGE', `Backend "${id}" is not installed (installed: ${ids.join(', ') || 'none'}).`, {
    hint: near.length > 0 ? `Did you mean --backend ${near[0]}?` : `npm install @optimum/backend-${id}`,
  });
}

function unknownTarget(target: string, usable: readonly InstalledBackend[]): OptimumError {
  const ids = usable.flatMap((backend) => backend.targets.map(({ id }) => id));
  const near = nearestNames(target, ids);
  return new OptimumError('E_USAGE', `No installed backend has a target "${target}".`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(', ')}?`
        : `Known targets: ${ids.join(', ')}. Others come with their backend: npm install @optimum/backend-intel-xeon`,
    context: { target, known: ids },
  });
}

function noMatch(facts: CpuFacts, usable: readonly InstalledBackend[]): OptimumError {
  return new OptimumError(
    'E_BACKEND_MISSING',
    `None of the installed backends (${usable.map(({ id }) => id).join(', ')}) knows this CPU (${facts.modelName}, ${facts.architecture}).`,
    { hint: 'npm install @optimum/backend-cpu, or name a target with --target' },
  );
}

function choice(installed: InstalledBackend, spec: TargetSpec | undefined, facts: CpuFacts): Choice[] {
  if (!spec) return [];
  const isThisMachine = isEverywhere(spec) || fits(spec, facts);
  return [{ installed, target: { ...spec, backend: installed.id, isThisMachine } }];
}

/** @throws E_USAGE for a name that the backend does not have, a mode that it has no recipe for, or both at odds */
export function chooseRecipe(backend: Backend, name: string | undefined, mode?: Recipe['mode']): Recipe {
  const named = backend.recipes.filter(({ id }) => name === undefined || id === name);
  const recipe = named.find((candidate) => mode === undefined || candidate.mode === mode);
  if (recipe) return recipe;
  const all = backend.recipes.map((candidate) => `${candidate.id} (${candidate.mode})`).join(', ');
  const what = name === undefined ? `of mode "${mode}"` : `"${name}"`;
  const [other] = named;
  throw new OptimumError(
    'E_USAGE',
    name !== undefined && other
      ? `Recipe "${name}" is of mode ${other.mode}, not ${mode}.`
      : `Backend ${backend.id} has no recipe ${what}.`,
    { hint: `Recipes: ${all}` },
  );
}
