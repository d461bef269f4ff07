import { OptimumError } from '../foundation/index.ts';
import { type Model, type Node, walkNodes } from '../ir/index.ts';
import { weightsDequantizedEveryRun } from './dequantized-weights.ts';
import { type IntegerUnit, integerUnits, isDequantized, kindOfKernel } from './integer-units.ts';
import { countDistinct } from './value-numbering.ts';

/** The integer kernels that the runtime's optimized graph really holds, against what the written model asks for. */
export interface KernelCheck {
  /** Integer kernels that there must be, once constants are folded and repetitions merged; and those found. */
  readonly expected: number;
  readonly found: Readonly<Record<string, number>>;
  /** Kinds of operators (`MatMul`, `Conv`, `Add`, …) with fewer integer kernels than there must be. */
  readonly missing: readonly { readonly kind: string; readonly expected: number; readonly found: number }[];
  /** Operators between integers that run in float all the same, by name. */
  readonly stayedFloat: readonly string[];
  /** Float products that read weights dequantized on every run: the trap that makes an int8 model slow. */
  readonly dequantizedEveryRun: readonly string[];
}

/**
 * Compares the model as it was written with the graph that the runtime made of it.
 * @param kernels operators that the plan's capabilities promise; one of another runtime, which stands for no kind known
 * here, counts for any
 */
export function checkKernels(written: Model, optimized: Model, kernels: readonly string[]): KernelCheck {
  const units = integerUnits(written, kernels);
  const found = countKernels(optimized, kernels);
  const wanted = countUnits(written, units, kernels);
  let spare = sumOf(found, (op) => kindOfKernel(op) === undefined);
  const missing = [...wanted].flatMap(([kind, expected]) => {
    const own = sumOf(found, (op) => kindOfKernel(op) === kind);
    const lent = Math.min(spare, Math.max(0, expected - own));
    spare -= lent;
    return own + lent < expected ? [{ kind, expected, found: own }] : [];
  });
  return {
    expected: [...wanted.values()].reduce((sum, count) => sum + count, 0),
    found,
    missing,
    stayedFloat: stayedFloat(units, optimized),
    dequantizedEveryRun: weightsDequantizedEveryRun(optimized).map(nameOf),
  };
}

/** Units by kind. Operators that only move numbers are left out: the runtime merges and cancels them as it likes. */
function countUnits(written: Model, units: readonly IntegerUnit[], kernels: readonly string[]): Map<string, number> {
  const byKind = new Map<string, Set<Node>>();
  for (const { node, kind } of units) {
    if (kernels.includes(kind)) continue;
    const nodes = byKind.get(kind) ?? new Set<Node>();
    byKind.set(kind, nodes.add(node));
  }
  return new Map([...byKind].map(([kind, nodes]) => [kind, countDistinct(written, nodes)]));
}

function countKernels(optimized: Model, kernels: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { op, domain } of walkNodes(optimized)) {
    const isKernel = kindOfKernel(op) !== undefined || (domain !== '' && kernels.includes(op));
    if (isKernel) found[op] = (found[op] ?? 0) + 1;
  }
  return found;
}

const sumOf = (found: Readonly<Record<string, number>>, isWanted: (op: string) => boolean): number =>
  Object.entries(found).reduce((sum, [op, count]) => sum + (isWanted(op) ? count : 0), 0);

/** Float units that stand in the optimized graph as they were written. The runtime keeps the names of what it keeps. */
function stayedFloat(units: readonly IntegerUnit[], optimized: Model): string[] {
  const written = new Set(
    units.flatMap(({ node: { op, outputs } }) => (outputs[0] ? [`${op} ${outputs[0].name}`] : [])),
  );
  return [...walkNodes(optimized)]
    .filter(({ op, inputs, outputs }) => inputs.some(isDequantized) && written.has(`${op} ${outputs[0]?.name}`))
    .map(nameOf);
}

/** @throws E_VERIFY_KERNELS when a promised integer kernel is missing or weights are dequantized on every run */
export function requireKernels(check: KernelCheck, model: string): void {
  const { dequantizedEveryRun, missing, stayedFloat: float } = check;
  if (dequantizedEveryRun.length > 0) {
    throw kernelError(
      `${model}: the runtime dequantizes the weights of ${dequantizedEveryRun.length} nodes on every run (${listed(dequantizedEveryRun)}).`,
      check,
    );
  }
  const [first] = missing;
  if (first) {
    const total = missing.reduce((sum, { expected }) => sum + expected, 0);
    const count = missing.reduce((sum, { found }) => sum + found, 0);
    throw kernelError(
      `${model}: ${total} nodes (${missing.map(({ kind }) => kind).join(', ')}) were made integer, but the runtime's ` +
        `optimized graph holds ${count} integer kernels${float.length > 0 ? `; in float are ${listed(float)}` : ''}.`,
      check,
    );
  }
  if (float.length > 0) {
    throw kernelError(`${model}: ${float.length} nodes between integers stayed float (${listed(float)}).`, check);
  }
}

const kernelError = (message: string, check: KernelCheck): OptimumError =>
  new OptimumError('E_VERIFY_KERNELS', message, {
    context: { ...check },
    hint: 'The model was not published. Try --recipe compatible, or --exclude the nodes that optimum quantize --dry-run lists.',
  });

/** The first few names. */
const listed = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? `, and ${names.length - 3} more` : ''}`;

const nameOf = (node: Node): string => node.name || node.outputs[0]?.name || node.op;
