import { annotate, type Capability, type Feature, type Model, type Plan, realize, serializeModel } from '@optimum/core';
import { BackendCaseError } from '../backend-case.ts';
import { modelOf, nameIn } from './claim-model.ts';
import type { Proof } from './proof.ts';

/**
 * The model of a proof as this library would write it: planned by the claim alone, realized, serialized. Models of
 * weight-only claims are written as they are.
 * @throws BackendCaseError when the planner makes something else of the claim than it says
 */
export function quantizedModel(proof: Proof): { readonly model: Model; readonly bytes: Uint8Array } {
  const { claim, subjects, recipe, beside = [] } = proof;
  const model = modelOf(subjects, claim.opset);
  if (recipe) {
    const plan = annotate(model, {
      capabilities: [claim, ...beside],
      features: featuresFor(claim),
      recipe,
      target: 'testkit',
    });
    requirePlanned(plan, proof);
    const parameters = new Map(
      subjects.flatMap((subject, index) =>
        Object.entries(subject.parameters).map(([name, value]) => [nameIn(index, name), value] as const),
      ),
    );
    realize(model, plan, { parameters });
  }
  return { model, bytes: serializeModel(model) };
}

/** Features with which the claim holds, whatever this machine shows: what is tried is the claim, not the choice. */
const featuresFor = ({ requires }: Capability): readonly Feature[] => requires[0] ?? [];

function requirePlanned({ entries }: Plan, { claim, granularity }: Proof): void {
  const own = entries.filter(({ decision }) => 'capability' in decision && decision.capability === claim.id);
  const [first] = own;
  if (!first) {
    const reasons = entries.flatMap(({ decision }) => (decision.action === 'float' ? [decision.reason.text] : []));
    throw new BackendCaseError(
      `claim ${claim.id}: the planner can make nothing of it (${reasons[0] ?? 'it leaves the operator in float'}). Claim an operator, element types and granularity that it knows.`,
    );
  }
  const made = own
    .map(({ decision }) => granularityOf(decision))
    .find((one) => one !== undefined && one !== granularity);
  if (made)
    throw new BackendCaseError(
      `claim ${claim.id} says granularity "${granularity}", but its weights are stored with one scale by ${made}.`,
    );
}

const granularityOf = (decision: Plan['entries'][number]['decision']): string | undefined => {
  if (decision.action === 'float') return undefined;
  return decision.action === 'embedding' ? decision.table.granularity : decision.weight?.granularity;
};
