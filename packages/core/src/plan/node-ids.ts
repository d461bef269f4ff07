import type { Graph, Model, Node } from '../ir/index.ts';

/**
 * A stable id for every node: its name where that is unique in the model, else its place (`branch/op#ordinal`, counted
 * by operator in its graph). The same file gives the same ids, even where ONNX names are empty or repeated.
 */
export function nodeIds(model: Model): Map<Node, string> {
  const places = new Map<Node, string>();
  placeNodes(model.graph, '', places);
  model.functions.forEach(({ body, domain, name }) => placeNodes(body, `${domain}.${name}/`, places));
  const count = new Map<string, number>();
  for (const { name } of places.keys()) if (name) count.set(name, (count.get(name) ?? 0) + 1);
  const ids = new Map<Node, string>();
  for (const [node, place] of places) ids.set(node, node.name && count.get(node.name) === 1 ? node.name : place);
  return ids;
}

function placeNodes(graph: Graph, prefix: string, places: Map<Node, string>): void {
  const ordinals = new Map<string, number>();
  for (const node of graph.nodes()) {
    const ordinal = ordinals.get(node.op) ?? 0;
    ordinals.set(node.op, ordinal + 1);
    const place = `${prefix}${node.op}#${ordinal}`;
    places.set(node, place);
    for (const [name, attribute] of node.attributes) {
      if (attribute.type === 'graph') placeNodes(attribute.value, `${place}/${name}/`, places);
      if (attribute.type === 'graphs')
        attribute.value.forEach((inner, index) => placeNodes(inner, `${place}/${name}${index}/`, places));
    }
  }
}
