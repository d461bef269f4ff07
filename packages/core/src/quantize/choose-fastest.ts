import { type Model, type Node, type Value, walkNodes } from '../ir/index.ts';
import { nodeIds } from '../plan/index.ts';

/** What one operator costs on the CPU at hand in each form, in microseconds. */
export interface OperatorCost {
  /** Id of the node: see `nodeIds`. */
  readonly id: string;
  /** In float32, with an activation behind it that the float kernel takes along. */
  readonly floatUs: number;
  /** From integers to integers, with such an activation where the integer kernel does not take it along. */
  readonly staticUs?: number;
  /** From float to float, with the quantization of its input while it runs. */
  readonly dynamicUs?: number;
  /** QuantizeLinear of its input. */
  readonly quantizeUs: number;
  /** DequantizeLinear of its output. */
  readonly dequantizeUs: number;
}

export type OperatorForm = 'static' | 'dynamic' | 'float';

export interface ChooseFastestOptions {
  /** Operators that let integers through: they move numbers, or vanish in the kernel before them. */
  readonly transparent?: ReadonlySet<string>;
  /** Part of an operator's time that another form must save: less is noise. @defaultValue 0.05 */
  readonly margin?: number;
}

/** Movers that are no slower on integers, and the clippings that QuantizeLinear does anyway. */
const transparentByDefault: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Transpose',
  'Slice',
  'Expand',
  'Relu',
  'Clip',
]);

/**
 * The fastest form of each operator whose cost is known. Where integers meet float, somebody pays for the conversion, so
 * that no operator can be judged alone: all that can be static start so, then the one that loses most by it becomes
 * float (or dynamic), until each that is left, and each chain of them, is worth its place. Pure. O(operators²).
 */
export function chooseFastest(
  model: Model,
  costs: readonly OperatorCost[],
  { transparent = transparentByDefault, margin = 0.05 }: ChooseFastestOptions = {},
): Map<string, OperatorForm> {
  const flow = new Flow(model, costs, transparent);
  const integers = new Set(costs.filter(({ staticUs }) => staticUs !== undefined).map(({ id }) => id));
  // Each may be worth its place beside the others, and all together not what the conversions around them cost.
  const unworthy = (): readonly string[] | undefined =>
    leastWorth(
      [...integers].map((id) => [id]),
      integers,
      flow,
      margin,
    ) ?? leastWorth(flow.connected(integers), integers, flow, margin);
  for (let group = unworthy(); group; group = unworthy()) for (const id of group) integers.delete(id);
  return new Map(costs.map((cost) => [cost.id, integers.has(cost.id) ? 'static' : otherForm(cost, margin)]));
}

const isDynamicFaster = ({ floatUs, dynamicUs }: OperatorCost, margin: number): boolean =>
  dynamicUs !== undefined && dynamicUs <= floatUs * (1 - margin);

const otherForm = (cost: OperatorCost, margin: number): OperatorForm =>
  isDynamicFaster(cost, margin) ? 'dynamic' : 'float';

/** The group of static operators that falls farthest short of saving its margin; `undefined` when none does. */
function leastWorth(
  groups: readonly (readonly string[])[],
  integers: ReadonlySet<string>,
  flow: Flow,
  margin: number,
): readonly string[] | undefined {
  let worst: readonly string[] | undefined;
  let shortfall = 0;
  for (const group of groups) {
    const costs = group.map((id) => flow.costOf(id));
    const elseUs = sum(costs.map((cost) => (isDynamicFaster(cost, margin) ? (cost.dynamicUs ?? 0) : cost.floatUs)));
    const savedUs = elseUs - sum(costs.map(({ staticUs = 0 }) => staticUs)) - flow.conversionsOf(group, integers);
    const missing = elseUs * margin - savedUs;
    if (missing <= shortfall) continue;
    [worst, shortfall] = [group, missing];
  }
  return worst;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** A value that integers may flow through: what makes it, and what reads it, movers left out. */
interface Stream {
  /** Operator that makes it; `undefined` when that has no integer form. */
  readonly producer: string | undefined;
  readonly readers: readonly string[];
  /** How many others read it: they have no integer form. */
  readonly floatReaders: number;
}

/** Who hands values to whom, among the operators whose costs are known. */
class Flow {
  readonly #costs: ReadonlyMap<string, OperatorCost>;
  readonly #ids = new Map<Node, string>();
  readonly #transparent: ReadonlySet<string>;
  /** The streams that an operator reads and makes. */
  readonly #streams = new Map<string, readonly Stream[]>();

  constructor(model: Model, costs: readonly OperatorCost[], transparent: ReadonlySet<string>) {
    this.#costs = new Map(costs.map((cost) => [cost.id, cost]));
    this.#transparent = transparent;
    const ids = nodeIds(model);
    const candidates = [...walkNodes(model)].filter((node) => this.#costs.has(ids.get(node) as string));
    for (const node of candidates) this.#ids.set(node, ids.get(node) as string);
    const known = new Map<Value, Stream>();
    const streamOf = (value: Value): Stream => {
      const stream = known.get(value) ?? this.#stream(value);
      known.set(value, stream);
      return stream;
    };
    for (const [node, id] of this.#ids) {
      const values = [node.inputs[0] && this.#source(node.inputs[0]), node.outputs[0]];
      this.#streams.set(
        id,
        [...new Set(values)].flatMap((value) => (value ? [streamOf(value)] : [])),
      );
    }
  }

  costOf(id: string): OperatorCost {
    return this.#costs.get(id) as OperatorCost;
  }

  /** What conversions cost more when this group is integer than when it is not; below 0 when it saves some. */
  conversionsOf(group: readonly string[], integers: ReadonlySet<string>): number {
    const others = new Set(integers);
    for (const id of group) others.delete(id);
    const streams = [...new Set(group.flatMap((id) => this.#streams.get(id) ?? []))];
    return sum(streams.map((stream) => this.#cost(stream, integers) - this.#cost(stream, others)));
  }

  /** The integer operators in groups that share values. */
  connected(integers: ReadonlySet<string>): string[][] {
    const left = new Set(integers);
    return [...integers].flatMap((id) => (left.has(id) ? [this.#group(id, left)] : []));
  }

  /** Takes out of `left` what can be reached from one of its operators. */
  #group(first: string, left: Set<string>): string[] {
    const group: string[] = [];
    const pending = [first];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (!left.delete(id)) continue;
      group.push(id);
      for (const { producer, readers } of this.#streams.get(id) ?? [])
        pending.push(...readers, ...(producer === undefined ? [] : [producer]));
    }
    return group;
  }

  /**
   * QuantizeLinear once for all integer readers of a float. DequantizeLinear once for each float reader of integers: the
   * runtime gives each its own.
   */
  #cost({ producer, readers, floatReaders }: Stream, integers: ReadonlySet<string>): number {
    if (producer !== undefined && integers.has(producer)) {
      const conversions = floatReaders + readers.filter((id) => !integers.has(id)).length;
      return conversions * this.costOf(producer).dequantizeUs;
    }
    const quantizations = readers.filter((id) => integers.has(id)).map((id) => this.costOf(id).quantizeUs);
    return Math.max(0, ...quantizations);
  }

  /** The value that movers handed on. */
  #source(value: Value): Value {
    let source = value;
    for (let input = this.#moved(source); input; input = this.#moved(source)) source = input;
    return source;
  }

  #moved({ producer }: Value): Value | undefined {
    return producer && this.#isTransparent(producer) ? producer.inputs[0] : undefined;
  }

  #isTransparent = ({ op, domain }: Node): boolean => domain === '' && this.#transparent.has(op);

  #stream(source: Value): Stream {
    const readers = new Set<string>();
    const others = new Set<unknown>();
    const pending = [source];
    for (let value = pending.pop(); value; value = pending.pop()) {
      for (const use of value.uses) {
        const reader = use.kind === 'input' && use.index === 0 ? this.#ids.get(use.node) : undefined;
        const moved = use.kind === 'input' && use.index === 0 && this.#isTransparent(use.node) && use.node.outputs[0];
        if (reader !== undefined) readers.add(reader);
        else if (moved) pending.push(moved);
        else others.add(use.kind === 'input' ? use.node : use);
      }
    }
    const producer = source.producer && this.#ids.get(source.producer);
    return { producer, readers: [...readers], floatReaders: others.size };
  }
}
