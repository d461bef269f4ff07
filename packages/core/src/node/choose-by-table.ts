import type { CostTable, KernelShape } from '../backend/index.ts';
import { elementwiseShape, timeOf, weightedProductOf } from '../evaluate/index.ts';
import type { Model, Node, Value } from '../ir/index.ts';
import { leftFloat, nodeIds, type Plan, type PlanEntry } from '../plan/index.ts';
import { boundShapes, type ShapeSizes } from './bound-shapes.ts';

/** Part of its time that a product must save to be made integer: less is within what the table may be off. */
const margin = 0.05;

/** Rows among which the form that is faster is looked for, when it is not known how many there will be. */
const rowCounts = [1, 4, 16, 128, 1024] as const;

/**
 * Takes products back to float that run no faster as integers at the given sizes, by the times that were measured on this
 * CPU. The same plan, table and sizes give the same plan.
 * @param key of the table, for the plan
 */
export function chooseByTable(plan: Plan, model: Model, table: CostTable, key: string, sizes: ShapeSizes): Plan {
  const doubtful = plan.entries.filter((entry) => isDoubtful(entry, table));
  if (doubtful.length === 0) return { ...plan, costTable: key };
  const nodes = new Map([...nodeIds(model)].map(([node, id]) => [id, node]));
  const shapeOf = boundShapes(model, sizes);
  const readers = readersOf(plan, nodes);
  const shapes = new Map(
    doubtful.flatMap(({ id }) => {
      const node = nodes.get(id);
      const shape = node && weightedProductOf(node, shapeOf);
      return shape ? [[id, { ...shape, readers: readers.get(node.inputs[0]) ?? 1 }] as const] : [];
    }),
  );
  const entries = plan.entries.map((entry) => judged(entry, shapes.get(entry.id), table));
  return { ...plan, entries, costTable: key };
}

/** A product, and how many read the same activation: they pay for its quantization together. */
interface SharedShape extends KernelShape {
  readonly readers: number;
}

function readersOf({ entries }: Plan, nodes: ReadonlyMap<string, Node>): Map<Value | undefined, number> {
  const readers = new Map<Value | undefined, number>();
  for (const entry of entries.filter(isProduct)) {
    const source = nodes.get(entry.id)?.inputs[0];
    readers.set(source, (readers.get(source) ?? 0) + 1);
  }
  return readers;
}

const isProduct = ({ decision }: PlanEntry): boolean => decision.action === 'matmul';

/** True when it depends on the rows which form is faster. Inference takes a while, and large products need none. */
function isDoubtful(entry: PlanEntry, table: CostTable): boolean {
  const [depth, columns] = entry.weight ?? [];
  if (!isProduct(entry) || depth === undefined || columns === undefined) return false;
  return rowCounts.some((rows) => isSlower(productTimes({ rows, depth, columns, readers: 1 }, entry, table)));
}

interface ProductTimes {
  readonly floatUs: number;
  readonly integerUs: number;
}

const kernels = { int8: 'matmul-u8s8-dynamic', uint8: 'matmul-u8u8-dynamic' } as const;

function productTimes(shape: SharedShape, { decision }: PlanEntry, table: CostTable): ProductTimes | undefined {
  const weightType = decision.action === 'matmul' && decision.weight.elementType === 'uint8' ? 'uint8' : 'int8';
  const floatUs = timeOf(table, 'matmul-float32', shape);
  const integerUs = timeOf(table, kernels[weightType], shape);
  if (floatUs === undefined || integerUs === undefined) return undefined;
  const quantizeUs = timeOf(table, 'quantize-dynamic', elementwiseShape(shape.rows * shape.depth)) ?? 0;
  return { floatUs, integerUs: integerUs - quantizeUs * (1 - 1 / shape.readers) };
}

const isSlower = (times: ProductTimes | undefined): boolean =>
  times !== undefined && times.integerUs > (1 - margin) * times.floatUs;

function judged(entry: PlanEntry, shape: SharedShape | undefined, table: CostTable): PlanEntry {
  const times = shape && productTimes(shape, entry, table);
  if (!shape || !times || !isSlower(times)) return entry;
  const { rows, depth, columns } = shape;
  const text = `${rows}×${depth} times ${depth}×${columns} takes ${format(times.integerUs)} as int8 and ${format(times.floatUs)} as float32 here`;
  return leftFloat(entry, 'no-faster', text);
}

const format = (us: number): string => `${us < 10 ? us.toFixed(1) : Math.round(us)} µs`;
