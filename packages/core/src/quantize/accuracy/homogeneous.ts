import type { Node } from '../../ir/index.ts';
import { constantFloats } from '../../passes/constant-floats.ts';

const always = new Set(['Identity', 'Relu', 'LeakyRelu']);

/** True for operators with f(s · x) = s · f(x) for every s > 0, element by element. They read x as their first input. */
export function isHomogeneous(node: Node): boolean {
  if (node.domain !== '') return false;
  if (always.has(node.op)) return true;
  if (node.op === 'PRelu') return constantFloats(node.inputs[1]) !== undefined;
  return node.op === 'Clip' && isRelu(node);
}

const largestFloat = Math.fround(3.4028234663852886e38);

/** max(x, 0), spelled Clip: bounds were attributes before opset 11. */
function isRelu(node: Node): boolean {
  const low = node.attributes.has('min') ? node.float('min', 1) : constantFloats(node.inputs[1])?.values[0];
  const isOpen = node.attributes.has('max') ? node.float('max', 0) >= largestFloat : !node.inputs[2];
  return low === 0 && isOpen;
}
