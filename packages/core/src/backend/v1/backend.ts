import type { Diagnostic } from '../../foundation/index.ts';
import type { Model, Node } from '../../ir/index.ts';
import type { Plan } from '../../plan/index.ts';
import type { Capability } from './capability.ts';
import type { Recipe } from './recipe.ts';
import type { Runtime } from './runtime.ts';
import type { Target, TargetSpec } from './target.ts';

/**
 * One family of hardware: what it is (targets), what suits it (recipes), and on which runtime it runs. Mostly data;
 * the functions are optional and, but for `probe`, pure.
 */
export interface Backend {
  readonly specVersion: 1;
  readonly id: string;
  readonly runtime: Runtime;
  readonly targets: readonly TargetSpec[];
  /** Claims of its own, before the runtime's; a claim with the id of one of the runtime's replaces it. */
  readonly capabilities?: readonly Capability[];
  /** The first one is the default. */
  readonly recipes: readonly Recipe[];
  /** Pure: returns the plan to use. */
  adjustPlan?(plan: Plan, model: Model, target: Target): Plan;
  validate?(model: Model, target: Target): readonly Diagnostic[];
  /** Work of a node, for ordering. */
  estimate?(node: Node, target: Target): { readonly flops: number; readonly bytes: number } | undefined;
}

const brand = Symbol.for('optimum.backend');

/** Marks and returns a backend; `const` keeps its literals. */
export function defineBackend<const B extends Backend>(backend: B): B {
  return Object.assign(backend, { [brand]: true });
}

export const isBackend = (value: unknown): value is Backend =>
  typeof value === 'object' && value !== null && brand in value;

/** The runtime's claims with the backend's own put in. */
export function capabilitiesOf(backend: Backend): Capability[] {
  const own = new Map((backend.capabilities ?? []).map((capability) => [capability.id, capability]));
  const kept = backend.runtime.capabilities.filter(({ id }) => !own.has(id));
  return [...own.values(), ...kept];
}
