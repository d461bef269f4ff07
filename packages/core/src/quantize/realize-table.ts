import { constantOf } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { type Graph, intAttribute, type Node, replaceNode, type Value } from '../ir/index.ts';
import type { TableScheme } from '../plan/index.ts';
import { add } from './emit.ts';
import type { WeightStore } from './weight-store.ts';

/**
 * A lookup in a float table becomes a lookup in an 8-bit one. By row: the scales are looked up with the same indices
 * and multiplied in. Per tensor: DequantizeLinear behind the lookup, as Python's tool makes it. Only the rows that are
 * looked up are ever turned into float.
 */
export function realizeTable(node: Node, scheme: TableScheme, store: WeightStore): void {
  const { graph } = node;
  const [data, indices] = node.inputs;
  const weight = data && constantOf(data);
  if (!graph || !weight || !indices) throw internalError(`Gather "${node.name ?? ''}" has no constant table.`);
  const stored = store.table(weight, scheme);
  const rows = lookUp(graph, node, stored.quantized, indices, '_quant');
  const result =
    scheme.granularity === 'row'
      ? scaleRows(graph, node, rows, lookUp(graph, node, stored.scale, indices, '_scale'))
      : add(graph, node, 'DequantizeLinear', [rows, stored.scale, stored.zeroPoint], '_dequantize');
  replaceNode(node, result);
}

const lookUp = (graph: Graph, node: Node, data: Value, indices: Value, suffix: string): Value =>
  add(graph, node, 'Gather', [data, indices], suffix, node.attributes);

function scaleRows(graph: Graph, node: Node, rows: Value, scales: Value): Value {
  const cast = add(graph, node, 'Cast', [rows], '_cast', { to: intAttribute(1) });
  return add(graph, node, 'Mul', [cast, scales], '_scale_mul');
}
