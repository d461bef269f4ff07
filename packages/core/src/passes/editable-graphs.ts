import { type Graph, type Model, walkGraphs } from '../ir/index.ts';

/** Before opset 7 elementwise operators broadcast by attributes, and BatchNormalization trains unless told not to. */
const oldestOpset = 7;

/** The graphs that passes edit: the main one and those inside it. Bodies of functions cannot hold weights. */
export function editableGraphs(model: Model): Graph[] {
  return (model.opset() ?? 0) < oldestOpset ? [] : [...walkGraphs(model.graph)];
}
