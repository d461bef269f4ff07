import { constantOf } from '../analysis/index.ts';
import { type Model, type Node, type Value, walkNodes } from '../ir/index.ts';

/** Float operators with weights, and at which inputs they read them. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  MatMul: [0, 1],
  FusedMatMul: [0, 1],
  TransposeMatMul: [0, 1],
  Gemm: [0, 1],
  FusedGemm: [0, 1],
  Conv: [1],
  FusedConv: [1],
  ConvTranspose: [1],
  Gather: [0],
};

/** Operators that hand weights on as they are. */
const carriers = new Set(['Reshape', 'Transpose', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast']);

/**
 * Float operators whose weights the runtime dequantizes on every run, because it found no integer kernel for them: six
 * times as slow as an integer product, and slower than float.
 * @source research: runtime.md section 0, fact 3
 */
export function weightsDequantizedEveryRun(optimized: Model): Node[] {
  return [...walkNodes(optimized)].filter((node) =>
    weightInputs[node.op]?.some((index) => isDequantizedWeight(node.inputs[index])),
  );
}

function isDequantizedWeight(value: Value | undefined): boolean {
  const seen = new Set<Node>();
  for (let node = value?.producer; node && !seen.has(node); node = node.inputs[0]?.producer) {
    if (node.op === 'DequantizeLinear') return node.inputs[0] !== undefined && constantOf(node.inputs[0]) !== undefined;
    if (!carriers.has(node.op)) return false;
    seen.add(node);
  }
  return false;
}
