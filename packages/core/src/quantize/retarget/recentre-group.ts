import { storedTensor } from '../../analysis/index.ts';
import type { Node, Value } from '../../ir/index.ts';
import { integerOperator, movedBy } from './integer-operators.ts';
import { byteNumbersOf } from './small-integers.ts';

/** An input of a node that holds the zero point of values of a group; empty where the zero point is left out. */
export interface ZeroPointPlace {
  readonly node: Node;
  readonly index: number;
  /** The input with the scale, whose dims a zero point that was left out gets. */
  readonly scale: number | undefined;
}

/**
 * 8-bit values that must be shifted together: the same numbers in other places, or operands that an operator wants to be of
 * one type. When all of them and all of their zero points move by 128, nothing that is computed changes.
 */
export interface RecentreGroup {
  readonly values: ReadonlySet<Value>;
  /** Those of the values that are stored: weights, tables, constants. */
  readonly stored: readonly Value[];
  readonly zeroPoints: readonly ZeroPointPlace[];
}

export type RecentreSearch =
  | ({ readonly status: 'found' } & RecentreGroup)
  | { readonly status: 'blocked'; readonly reason: string };

/** Answers why a place must not be shifted, or `undefined`. */
export type Objection = (node: Node, index: number) => string | undefined;

/** Readers of shape only: they do not see the numbers. */
const shapeReaders = new Set(['Shape', 'Size']);

/** Follows a value to everything that has to be shifted with it. O(values of the group and their readers). */
export function findRecentreGroup(seed: Value, object: Objection = () => undefined): RecentreSearch {
  const search = new Search(object);
  search.reach(seed);
  return search.run();
}

class Search {
  readonly #object: Objection;
  readonly #values = new Set<Value>();
  readonly #pending: Value[] = [];
  readonly #stored: Value[] = [];
  readonly #zeroPoints = new Map<Node, Map<number, ZeroPointPlace>>();
  readonly #linked = new Set<Node>();
  #reason: string | undefined;

  constructor(object: Objection) {
    this.#object = object;
  }

  run(): RecentreSearch {
    for (let value = this.#pending.pop(); value && !this.#reason; value = this.#pending.pop()) {
      this.#followOrigin(value);
      for (const use of value.uses) {
        if (use.kind === 'output') this.#block(`"${value.name ?? ''}" is an output of the graph in this type`);
        else this.#followUse(value, use.node, use.index);
      }
    }
    if (this.#reason) return { status: 'blocked', reason: this.#reason };
    const zeroPoints = [...this.#zeroPoints.values()].flatMap((places) => [...places.values()]);
    return { status: 'found', values: this.#values, stored: this.#stored, zeroPoints };
  }

  reach(value: Value | undefined): void {
    if (!value || this.#values.has(value)) return;
    this.#values.add(value);
    this.#pending.push(value);
  }

  #block(reason: string): void {
    this.#reason ??= reason;
  }

  #followOrigin(value: Value): void {
    if (storedTensor(value)) {
      this.#stored.push(value);
      return;
    }
    const { producer } = value;
    if (!producer) {
      this.#block(`"${value.name ?? ''}" is an input of the graph in this type`);
      return;
    }
    const moved = movedBy(producer);
    const output = integerOperator(producer)?.output;
    if (moved) for (const index of moved) this.reach(producer.inputs[index]);
    else if (output) {
      this.#shift(producer, output.zeroPoint, output.scale);
      this.#linkActivations(producer);
    } else this.#block(`${producer.op} makes it in this type`);
  }

  #followUse(value: Value, node: Node, index: number): void {
    const objection = this.#object(node, index);
    if (objection) {
      this.#block(objection);
      return;
    }
    if (shapeReaders.has(node.op)) return;
    if (movedBy(node)?.includes(index)) {
      for (const input of movedBy(node) ?? []) this.reach(node.inputs[input]);
      node.outputs.forEach((output, ordinal) => {
        // The second output of MaxPool is indices.
        if (ordinal === 0 || node.is('Split')) this.reach(output);
      });
      return;
    }
    const slot = integerOperator(node)?.operands.find(({ data }) => data === index);
    if (!slot) {
      this.#block(`${node.op} reads "${value.name ?? ''}" in this type`);
      return;
    }
    this.#shift(node, slot.zeroPoint, slot.scale);
    if (slot.role === 'activation') this.#linkActivations(node);
  }

  /** An integer operator wants one type for all of its activations and its output. */
  #linkActivations(node: Node): void {
    if (this.#linked.has(node)) return;
    this.#linked.add(node);
    const operator = integerOperator(node);
    for (const { data, role } of operator?.operands ?? []) if (role === 'activation') this.reach(node.inputs[data]);
    if (operator?.output) this.reach(node.outputs[0]);
  }

  #shift(node: Node, index: number, scale: number | undefined): void {
    const zeroPoint = node.inputs[index];
    if (zeroPoint && !byteNumbersOf(zeroPoint)) {
      this.#block(`the zero point "${zeroPoint.name ?? ''}" of ${node.op} is computed`);
      return;
    }
    const places = this.#zeroPoints.get(node) ?? new Map<number, ZeroPointPlace>();
    this.#zeroPoints.set(node, places.set(index, { node, index, scale }));
  }
}
