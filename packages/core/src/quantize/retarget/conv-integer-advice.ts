import { walkNodes } from '../../ir/index.ts';
import type { Rewrite } from './rewrite.ts';
import { kernelFor } from './target-kernels.ts';

/**
 * ConvInteger cannot be helped: it is not fused with anything, and often slower than the float operator. What helps is
 * another model, made from the float one.
 * @source research: runtime.md (Conv wants static ranges), avx2.md section 1
 */
export const adviseOnConvInteger: Rewrite = ({ model, target, leave }) => {
  for (const node of walkNodes(model)) {
    if (!node.is('ConvInteger')) continue;
    const kind = { op: 'Conv', mode: 'dynamic', isDepthwise: false } as const;
    const speed = Math.max(
      ...(['uint8', 'int8'] as const).map((weight) => kernelFor(target, kind, 'uint8', weight)?.speed ?? 0),
    );
    const known = speed > 0 ? ` (at best ${speed}× the speed of float)` : '';
    leave(node, `the runtime fuses it with nothing${known}`, {
      advice: 'quantize the float model with ranges from calibration: optimum quantize --mode static --data',
    });
  }
};
