import { constantOf } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { addNode, type Graph, intAttribute, type Node, type Value } from '../ir/index.ts';
import type { TableScheme } from '../plan/index.ts';
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
  const output = node.outputs[0];
  if (!graph || !weight || !indices || !output)
    throw internalError(`Gather "${node.name ?? ''}" has no constant table.`);
  const stored = store.table(weight, scheme);
  const rows = gather(graph, node, stored.quantized, indices, '_quant');
  const result =
    scheme.granularity === 'row'
      ? scaleRows(graph, node, rows, gather(graph, node, stored.scale, indices, '_scale'))
      : addNode(
          graph,
          'DequantizeLinear',
          { inputs: [rows, stored.scale, stored.zeroPoint], name: named(node, '_dequantize') },
          node,
        );
  const value = result.outputs[0] as Value;
  value.type = output.type;
  output.replaceAllUsesWith(value);
  if (!value.name) [value.name, output.name] = [output.name, undefined];
  graph.remove(node);
}

const named = (node: Node, suffix: string): string | undefined => node.name && `${node.name}${suffix}`;

function gather(graph: Graph, node: Node, data: Value, indices: Value, suffix: string): Value {
  return addNode(graph, 'Gather', { inputs: [data, indices], name: named(node, suffix) }, node).outputs[0] as Value;
}

function scaleRows(graph: Graph, node: Node, rows: Value, scales: Value): Node {
  const cast = addNode(
    graph,
    'Cast',
    { inputs: [rows], name: named(node, '_cast'), attributes: { to: intAttribute(1) } },
    node,
  );
  return addNode(graph, 'Mul', { inputs: [cast.outputs[0], scales], name: named(node, '_scale_mul') }, node);
}
