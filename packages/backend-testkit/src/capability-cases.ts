import { type Capability, capabilitiesOf, features } from '@optimum/core';
import { type BackendCase, BackendCaseError } from './backend-case.ts';
import type { KitContext } from './kit-context.ts';

const granularities: Readonly<Record<string, readonly string[]>> = {
  Gather: ['row', 'tensor', 'block'],
  MatMul: ['channel', 'tensor', 'block'],
  Gemm: ['channel', 'tensor'],
  Conv: ['channel', 'tensor'],
};

/** Claims as data: what can be seen without running them. */
export function capabilityCases({ backend }: KitContext): BackendCase[] {
  return [
    {
      name: 'capabilities',
      run: async () => {
        const problems = [
          ...duplicates(backend.capabilities ?? []).map((id) => `two of the backend's own claims have the id ${id}`),
          ...duplicates(backend.runtime.capabilities).map((id) => `two claims of its runtime have the id ${id}`),
          ...capabilitiesOf(backend).flatMap((claim) => problemsOf(claim).map((what) => `claim ${claim.id} ${what}`)),
        ];
        if (problems.length > 0) throw new BackendCaseError(`${problems.join('; ')}.`);
      },
    },
  ];
}

function duplicates(claims: readonly Capability[]): string[] {
  const ids = claims.map(({ id }) => id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

/** Each condition that must hold, with what is said when it does not. */
function problemsOf(claim: Capability): string[] {
  const { op, mode, granularity, requires, unless = [], kernels, speed, opset, source, blocks } = claim;
  const named = new Set<string>([...requires.flat(), ...unless]);
  const unknown = [...named].filter((feature) => !(features as readonly string[]).includes(feature));
  const known = granularities[op];
  const foreign = granularity.filter((one) => known && !known.includes(one));
  const isHeld = requires.length === 0 || requires.some((set) => !set.some((feature) => unless.includes(feature)));
  return [
    unknown.length > 0 && `names the unknown feature ${unknown.join(', ')}`,
    granularity.length === 0 && 'names no granularity',
    foreign.length > 0 && `says granularity "${foreign.join(', ')}", which weights of ${op} cannot have`,
    !['dynamic', 'static', 'weight-only'].includes(mode) && `has the unknown mode "${mode}"`,
    !(Number.isFinite(speed) && speed > 0) && `has speed ${speed}, which is no factor`,
    !(Number.isInteger(opset) && opset >= 1) && `needs opset ${opset}, which does not exist`,
    source.trim() === '' && 'does not say how it is known',
    !isHeld && 'can never hold: each of its sets of features has one of "unless"',
    kernels.length === 0 && op !== 'Gather' && 'names no kernel',
    mode === 'weight-only' &&
      !blocks?.every((size) => size >= 16 && isPowerOfTwo(size)) &&
      'is weight-only and names no blocks of 16, 32, 64, …',
  ].filter((problem) => problem !== false);
}
