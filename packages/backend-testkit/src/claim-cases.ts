import { type Capability, capabilitiesOf, type Feature, holdsOn, type Runtime } from '@optimum/core';
import { type BackendCase, BackendCaseError, type Skip } from './backend-case.ts';
import { requirePairRule } from './claim/pair-rule.ts';
import { type Proof, proofsOf } from './claim/proof.ts';
import { runProof } from './claim/run-proof.ts';
import type { KitContext } from './kit-context.ts';
import type { EmulatedCpu } from './kit-options.ts';

/**
 * Each claim of the backend and of its runtime: executed here, or on an emulated CPU, or skipped with the features that
 * are missing. What a pair rule promises is proven on every machine by arithmetic too.
 */
export function claimCases(context: KitContext): BackendCase[] {
  const claims = capabilitiesOf(context.backend);
  return claims.flatMap((claim) => [
    executed(claim, claims, context),
    ...emulations(claim, context),
    ...(claim.exact === 'pair-rule'
      ? [{ name: `pair rule of ${claim.id}`, run: async () => requirePairRule(claim) }]
      : []),
  ]);
}

function executed(claim: Capability, claims: readonly Capability[], context: KitContext): BackendCase {
  const { backend, features } = context;
  const skip = holdsOn(claim, features) ? undefined : skipOf(claim, claims, features);
  return {
    name: `claim ${claim.id}`,
    run: () => runClaim(claim, backend.runtime, context),
    ...(skip && { skip }),
  };
}

async function runClaim(
  claim: Capability,
  runtime: Pick<Runtime, 'createSession'>,
  { options, timeLimitMs }: KitContext,
): Promise<void> {
  const proofs: readonly Proof[] | undefined = options.proofsOf?.(claim) ?? proofsOf(claim);
  if (!proofs)
    throw new BackendCaseError(
      `claim ${claim.id}: the kit has no model of ${claim.op} in mode ${claim.mode}; give one in "proofsOf".`,
    );
  for (const proof of proofs) await runProof(proof, runtime, timeLimitMs);
}

/**
 * Why a claim does not hold here. Where another claim about the same kernels holds and says otherwise about their sums,
 * both cannot be right: then this one must fail. (One that differs in speed alone would pass, rightly.)
 */
function skipOf(claim: Capability, claims: readonly Capability[], features: readonly Feature[]): Skip {
  const present = claim.unless?.filter((feature) => features.includes(feature)) ?? [];
  const sets = claim.requires.map((set) => set.join(' and ')).join(', or ');
  const reason = present.length > 0 ? `this CPU has ${present.join(' and ')}` : `this CPU lacks ${sets}`;
  const mustFail = claims.some(
    (other) => holdsOn(other, features) && other.exact !== claim.exact && formOf(other) === formOf(claim),
  );
  return { reason, mustFail };
}

const formOf = ({ op, domain = '', mode, activation, weight, filters, accuracyLevel }: Capability): string =>
  [op, domain, mode, activation, weight, filters, accuracyLevel].join(' ');

const emulations = (claim: Capability, context: KitContext): BackendCase[] =>
  (context.options.emulated ?? [])
    .filter(({ features }) => holdsOn(claim, features) && !holdsOn(claim, context.features))
    .map(({ name, runtime }: EmulatedCpu) => ({
      name: `claim ${claim.id} on ${name}`,
      run: () => runClaim(claim, runtime, context),
    }));
