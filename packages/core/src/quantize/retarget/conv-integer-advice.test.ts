import { describe, expect, it } from 'vitest';
import { exactTarget, header, retargeted } from './test-targets.ts';

describe('advice on ConvInteger', () => {
  it('names what would help, and changes nothing', () => {
    const { actions, left, nodes } = retargeted(
      `${header()}g (float[1,1,3,3] x) => (int32[1,1,2,2] y) <uint8[1,1,2,2] w = {1, 2, 3, 4}>
       { q, s, z = DynamicQuantizeLinear (x) y = ConvInteger (q, w, z) }`,
      exactTarget,
    );
    expect(actions).toEqual([]);
    expect(nodes).toContain('ConvInteger (q, w, z)');
    expect(left).toMatchObject([{ op: 'ConvInteger', advice: expect.stringContaining('--mode static') }]);
  });
});
