import { type Backend, type CpuFacts, capabilitiesOf, type Recipe, type Target } from '../backend/index.ts';
import { type Choice, chooseRecipe, chooseTarget } from './choose-target.ts';
import { readCpuFacts } from './cpu-facts.ts';
import { discoverBackends } from './discover-backends.ts';
import { importBackend } from './import-backend.ts';

export interface PrepareOptions {
  readonly target?: string | undefined;
  readonly recipe?: string | undefined;
  /** Picks the first recipe of that mode, unless one is named. */
  readonly mode?: 'dynamic' | 'static' | 'auto' | undefined;
  readonly backend?: string | undefined;
  /** Where backends and the runtime are looked for. @defaultValue the working directory */
  readonly projectFolder?: string | undefined;
  /** Folder of a program whose own neighbours count too. */
  readonly programFolder?: string | undefined;
}

/** The hardware that a model is made for, and what is known about it. */
export interface Preparation {
  readonly facts: CpuFacts;
  readonly target: Target;
  readonly backend: Backend;
  readonly recipe: Recipe;
  readonly capabilities: ReturnType<typeof capabilitiesOf>;
}

/**
 * Reads the CPU's facts, picks the installed backend and target that fit (or those that are named), loads that one
 * backend and picks the recipe. @throws E_BACKEND_MISSING, E_BACKEND_INCOMPATIBLE, E_USAGE
 */
export async function prepare(options: PrepareOptions = {}): Promise<Preparation> {
  const facts = readCpuFacts();
  const { projectFolder, programFolder } = options;
  const installed = discoverBackends({
    ...(projectFolder && { projectFolder }),
    ...(programFolder && { programFolder }),
  });
  const choice: Choice = chooseTarget(installed, facts, options);
  const backend = await importBackend(choice.installed);
  const recipe = chooseRecipe(backend, options.recipe, options.mode);
  return { facts, target: choice.target, backend, recipe, capabilities: capabilitiesOf(backend) };
}
