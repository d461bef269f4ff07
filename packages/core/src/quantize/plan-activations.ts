import { constantOf } from '../analysis/index.ts';
import type { Model, Node, Use, Value } from '../ir/index.ts';
import { walkNodes } from '../ir/index.ts';
import { type ActivationScheme, levelsOf, limitsOf } from '../observe/index.ts';
import { type ActivationEntry, type ParameterSource, type StaticForm, valueIds } from '../plan/index.ts';
import { epilogueOf } from './epilogue.ts';
import { type Placement, roleOf } from './placement/index.ts';

export interface ActivationOptions {
  readonly scheme: ActivationScheme;
  readonly form: StaticForm;
  /** Every result is an integer, also of operators that could give floats. */
  readonly everyOutput: boolean;
}

/** Ids of the activations that a node takes and gives as integers. */
export interface NodeActivations {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

export interface PlannedActivations {
  /** Of the nodes that are static; movers that do not stand between integers are not among them. */
  readonly nodes: ReadonlyMap<Node, NodeActivations>;
  readonly activations: readonly ActivationEntry[];
}

/**
 * Which values are integers when these nodes are static, and where their parameters come from: one for each value,
 * whoever reads it. Reads no payload but that of small constants. O(nodes × chain of movers).
 */
export function planActivations(
  model: Model,
  statics: ReadonlyMap<Node, Placement>,
  options: ActivationOptions,
): PlannedActivations {
  const flow = new IntegerFlow(statics, options);
  const ids = valueIds(model);
  const entries = new Map<Value, ActivationEntry>();
  const enter = (value: Value, parameters: ParameterSource): void => {
    if (!entries.has(value)) entries.set(value, { id: ids.get(value) as string, scheme: options.scheme, parameters });
  };
  const nodes = new Map<Node, NodeActivations>();
  for (const node of walkNodes(model)) {
    if (!flow.isStatic(node)) continue;
    const [reads, writes] = [flow.readsOf(node), flow.writesOf(node)];
    for (const value of reads) enter(value, knownParameters(value, options) ?? { kind: 'own' });
    for (const value of writes) enter(value, parametersOfOutput(node, value, flow, entries, options));
    const idsOf = (values: readonly Value[]): string[] => values.map((value) => ids.get(value) as string);
    nodes.set(node, { reads: idsOf(reads), writes: idsOf(writes) });
  }
  return { nodes, activations: [...entries.values()] };
}

function parametersOfOutput(
  node: Node,
  value: Value,
  flow: IntegerFlow,
  entries: ReadonlyMap<Value, ActivationEntry>,
  options: ActivationOptions,
): ParameterSource {
  const input = node.inputs[0];
  if (!flow.isMover(node) || !input) return knownParameters(value, options) ?? { kind: 'own' };
  const { id, parameters } = entries.get(input) as ActivationEntry;
  return { kind: 'shared', with: parameters.kind === 'shared' ? parameters.with : id };
}

/**
 * A probability needs no statistics. The QOperator form divides by a power of two, which its kernel expects.
 * @source onnxruntime/python/tools/quantization/operators/softmax.py; research: algorithms.md section 2.1
 */
function knownParameters(value: Value, { scheme, form }: ActivationOptions): ParameterSource | undefined {
  if (!value.producer?.is('Softmax') || scheme.symmetric) return undefined;
  const levels = levelsOf(scheme.elementType);
  const scale = Math.fround(1 / (form === 'qdq' ? levels - 1 : levels));
  return { kind: 'fixed', scale, zeroPoint: limitsOf(scheme.elementType).min };
}

/** Who hands integers to whom. Starts from all that could be integer, and takes away until each has its place. */
class IntegerFlow {
  readonly #statics: Map<Node, Placement>;
  readonly #options: ActivationOptions;
  /** Nodes whose result goes on in float. */
  readonly #givesFloat = new Set<Node>();

  constructor(statics: ReadonlyMap<Node, Placement>, options: ActivationOptions) {
    this.#statics = new Map(statics);
    this.#options = options;
    while (this.#takeAway()) {}
  }

  isStatic(node: Node): boolean {
    return this.#statics.has(node);
  }

  isMover(node: Node): boolean {
    return this.#statics.get(node)?.output === 'shared';
  }

  /** Activations that come in as integers. */
  readsOf(node: Node): Value[] {
    const placement = this.#statics.get(node);
    if (!placement) return [];
    return node.inputs.filter(
      (value, index): value is Value =>
        value !== undefined && roleOfInput(placement, index, value) === 'activation' && !constantOf(value),
    );
  }

  /** Values that go out as integers. */
  writesOf(node: Node): Value[] {
    return this.#givesFloat.has(node) ? [] : this.#resultsOf(node);
  }

  /** Every output of a mover; else the one output, behind the clipping that it takes over. */
  #resultsOf(node: Node): Value[] {
    if (this.isMover(node)) return node.outputs.filter((value): value is Value => value !== undefined);
    const epilogue = this.#options.scheme.symmetric ? undefined : epilogueOf(node);
    const result = (epilogue ?? node).outputs[0];
    return result ? [result] : [];
  }

  /** True when something was not in its place. */
  #takeAway(): boolean {
    const written = new Set([...this.#statics.keys()].flatMap((node) => this.writesOf(node)));
    let isChanged = false;
    for (const [node, { output }] of this.#statics) {
      if (output === 'shared' && !this.#isBetweenIntegers(node, written)) isChanged = this.#statics.delete(node);
      else if (output === 'optional' && !this.#options.everyOutput && !this.#givesFloat.has(node)) {
        if (this.#resultsOf(node).every((value) => this.#isReadAsIntegersOnly(value))) continue;
        this.#givesFloat.add(node);
        isChanged = true;
      }
    }
    return isChanged;
  }

  #isBetweenIntegers(node: Node, written: ReadonlySet<Value>): boolean {
    const input = node.inputs[0];
    if (!input || !written.has(input)) return false;
    return this.#resultsOf(node).some((value) => [...value.uses].some((use) => this.#readsIntegers(use)));
  }

  #isReadAsIntegersOnly({ uses }: Value): boolean {
    return uses.size > 0 && [...uses].every((use) => this.#readsIntegers(use));
  }

  #readsIntegers(use: Use): boolean {
    if (use.kind !== 'input') return false;
    const placement = this.#statics.get(use.node);
    const value = use.node.inputs[use.index];
    return placement !== undefined && value !== undefined && roleOfInput(placement, use.index, value) === 'activation';
  }
}

/** The second operand of a product is a weight where it is constant, else an activation as the first. */
const roleOfInput = (placement: Placement, index: number, value: Value): ReturnType<typeof roleOf> => {
  const role = roleOf(placement, index);
  return role === 'weight' && !constantOf(value) ? 'activation' : role;
};
