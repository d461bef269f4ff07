import { describe, expect, it } from 'vitest';
import { planOf } from '../../../../tools/testing/quantize-statically.ts';
import { parseModel } from '../text/index.ts';
import { withoutUnobserved } from './without-unobserved.ts';

const weights = 'float[1,1,1,1] w = {1}';
const plan = planOf(
  parseModel(
    `<ir_version: 8, opset_import: ["": 17]> g (float[1,1,2,2] x, float[1,1,2,2] z) => (float[1,1,2,2] y, float[1,1,2,2] v) <${weights}>
     { [a] c = Conv (x, w)  [t] t = Transpose <perm = [0, 1, 3, 2]> (c)  [b] y = Conv (t, w)  [d] v = Conv (z, w) }`,
  ),
);
const actions = (observed: readonly string[]) =>
  Object.fromEntries(
    withoutUnobserved(plan, new Set(observed)).entries.map(({ id, decision }) => [
      id,
      decision.action === 'float' ? decision.reason.code : decision.action,
    ]),
  );

describe('withoutUnobserved', () => {
  it('leaves a plan whose ranges are all known', () => {
    expect(withoutUnobserved(plan, new Set(['x', 'c', 'y', 'z', 'v']))).toBe(plan);
  });

  it('makes float what needs a range that is not known, and what shares it', () => {
    expect(actions(['x', 'y', 'z', 'v'])).toEqual({
      a: 'not-observed',
      t: 'not-observed',
      b: 'not-observed',
      d: 'static',
    });
    expect(actions(['c', 'y', 'z', 'v'])).toEqual({ a: 'not-observed', t: 'no-faster', b: 'static', d: 'static' });
  });

  it('names what was missing', () => {
    const [first] = withoutUnobserved(plan, new Set(['x', 'c', 'y', 'z'])).entries.slice(-1);
    expect(first?.decision).toEqual({
      action: 'float',
      reason: { code: 'not-observed', text: 'its range is not known: "v" never showed a value' },
    });
  });
});
