import type { Diagnostic } from '../../foundation/index.ts';
import type { Model, Node } from '../../ir/index.ts';
import type { Plan } from '../../plan/index.ts';
import type { Capability } from './capability.ts';
import type { Recipe } from './recipe.ts';
import type { Runtime } from './runtime.ts';
import type { Target, TargetSpec } from './target.ts';

/**
 * One family of hardware: what it is (targets), what suits it (recipes), and on which runtime it runs. Mostly data;
 * the functions are optional and pure. It executes nothing and quantizes nothing: runtimes run, core quantizes.
 */
export interface Backend {
  readonly specVersion: 1;
  /** As in the manifest. */
  readonly id: string;
  /** What executes its models. */
  readonly runtime: Runtime;
  /** As in the manifest's target file. */
  readonly targets: readonly TargetSpec[];
  /** Claims of its own, before the runtime's; a claim with the id of one of the runtime's replaces it. */
  readonly capabilities?: readonly Capability[];
  /** The first one is the default. */
  readonly recipes: readonly Recipe[];
  /** Last word on the plan: returns the one to use. Must not change its arguments. */
  adjustPlan?(plan: Plan, model: Model, target: Target): Plan;
  /** What is wrong with a model for a target, before anything is planned. */
  validate?(model: Model, target: Target): readonly Diagnostic[];
  /** Work of a node, for ordering. */
  estimate?(node: Node, target: Target): { readonly flops: number; readonly bytes: number } | undefined;
}

const brand = Symbol.for('optimum.backend');

/** Marks and returns a backend; `const` keeps its literals. */
export function defineBackend<const B extends Backend>(backend: B): B {
  return Object.assign(backend, { [brand]: true });
}

/** True for what `defineBackend` returned, of whichever copy of this package. */
export const isBackend = (value: unknown): value is Backend =>
  typeof value === 'object' && value !== null && brand in value;

/** The runtime's claims with the backend's own put in, own ones first. */
export function capabilitiesOf(backend: Backend): Capability[] {
  const own = new Map((backend.capabilities ?? []).map((capability) => [capability.id, capability]));
  const kept = backend.runtime.capabilities.filter(({ id }) => !own.has(id));
  return [...own.values(), ...kept];
}
