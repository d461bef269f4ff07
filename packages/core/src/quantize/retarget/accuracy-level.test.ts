import { describe, expect, it } from 'vitest';
import { exactTarget, header, pairTarget, reasonsOf, retargeted } from './test-targets.ts';

const nbits = (bits: number, more = '', block = 32): string =>
  `${header()}g (float[n,32] x) => (float[n,1] y) <uint8[1,1,${(block * bits) / 8}] w = {${Array((block * bits) / 8).fill(1)}}, float[1] s = {1}> {
     y = com.microsoft.MatMulNBits <K = 32, N = 1, bits = ${bits}, block_size = ${block}${more}> (x, w, s) }`;

describe('accuracy level', () => {
  it.each([4, 8])('becomes 4 for %i bits where that is faster at every size', (bits) => {
    const { nodes, actions } = retargeted(nbits(bits), exactTarget);
    expect(nodes).toContain('accuracy_level = 4');
    expect(actions).toMatchObject([{ rewrite: 'accuracy-level', identicalUpTo: 'none' }]);
    expect(actions[0]?.predictedGain).toBeCloseTo(bits === 4 ? 1.2 / 0.9 : 1.4 / 0.5, 10);
  });

  it('stays where it loses at some size', () => {
    const { nodes, ...result } = retargeted(nbits(8), pairTarget);
    expect(nodes).not.toContain('accuracy_level');
    expect(reasonsOf(result)).toEqual([
      'MatMulNBits: accuracy level 4 does not pay at every size: at 5 rows and more it is 0.6× the speed of float on the target',
    ]);
  });

  it('stays where it is 4 already, and where no kernel is claimed for the blocks', () => {
    expect(reasonsOf(retargeted(nbits(4, ', accuracy_level = 4'), exactTarget))).toEqual([
      'MatMulNBits: it has accuracy level 4 already',
    ]);
    expect(reasonsOf(retargeted(nbits(4, '', 64), exactTarget))).toEqual([
      'MatMulNBits: no kernel at accuracy level 4 is claimed for the target',
    ]);
  });
});
