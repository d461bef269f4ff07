import { OptimumError } from '../foundation/index.ts';
import { type Model, type Node, type Value, walkNodes } from '../ir/index.ts';

/** The integer kernels that the runtime's optimized graph really holds, against what the plan promised. */
export interface KernelCheck {
  /** Nodes that the plan made integer, and how many integer kernels were found for them. */
  readonly expected: number;
  readonly found: Readonly<Record<string, number>>;
  /** Float products that read weights dequantized on every run: the trap that makes an int8 model slow. */
  readonly dequantizedEveryRun: readonly string[];
}

const floatProducts = new Set(['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm', 'TransposeMatMul']);

/** Counts the kernels that capabilities promise in the graph that the runtime wrote out. */
export function checkKernels(optimized: Model, kernels: readonly string[], expected: number): KernelCheck {
  const wanted = new Set(kernels);
  const found: Record<string, number> = {};
  const dequantizedEveryRun: string[] = [];
  for (const node of walkNodes(optimized)) {
    if (wanted.has(node.op)) found[node.op] = (found[node.op] ?? 0) + 1;
    if (floatProducts.has(node.op) && node.inputs.some(isDequantizedWeight)) dequantizedEveryRun.push(nameOf(node));
  }
  return { expected, found, dequantizedEveryRun };
}

/** @throws E_VERIFY_KERNELS when a promised integer kernel is missing or weights are dequantized on every run */
export function requireKernels(check: KernelCheck, model: string): void {
  const count = Object.values(check.found).reduce((sum, n) => sum + n, 0);
  if (check.dequantizedEveryRun.length > 0) {
    throw kernelError(
      `${model}: the runtime dequantizes the weights of ${check.dequantizedEveryRun.length} nodes on every run (first: ${check.dequantizedEveryRun[0]}).`,
      check,
    );
  }
  if (count < check.expected) {
    throw kernelError(
      `${model}: ${check.expected} nodes were made integer, but the runtime's optimized graph holds ${count} integer kernels.`,
      check,
    );
  }
}

const kernelError = (message: string, check: KernelCheck): OptimumError =>
  new OptimumError('E_VERIFY_KERNELS', message, {
    context: { ...check },
    hint: 'The model was not published. Try --recipe compatible, or --exclude the nodes that optimum quantize --dry-run lists.',
  });

const isDequantizedWeight = (value: Value | undefined): boolean =>
  value?.producer?.op === 'DequantizeLinear' && value.producer.inputs[0]?.origin.kind === 'initializer';

const nameOf = (node: Node): string => node.name || node.outputs[0]?.name || node.op;
