import { core } from '../lib/packages.mjs';
import { normalTensor } from './weights.mjs';

/** Adds nodes to a graph with names as PyTorch's legacy exporter gives them: the module path and the operator. */
export class GraphBuilder {
  #counts = new Map();

  /** @param {number} seed of the weights */
  constructor(seed) {
    this.seed = seed;
    this.graph = new core.Graph('main_graph');
  }

  /** Adds a node under a module path; returns its first output. */
  add(path, op, inputs, attributes = {}) {
    const name = this.#name(path, op);
    const output = new core.Value(`${name}_output_0`);
    core.addNode(this.graph, op, { name, inputs, attributes, outputs: [output] });
    return output;
  }

  /** A Constant node of int64: a scalar for a number, else a vector. */
  integers(path, values) {
    const list = typeof values === 'number' ? [values] : values;
    const dims = typeof values === 'number' ? [] : [list.length];
    return this.#constant(path, core.int64Tensor(dims, list));
  }

  /** A Constant node with one float32. */
  float(path, value) {
    return this.#constant(path, core.float32Tensor([], [value]));
  }

  /** A Constant node with any tensor. */
  tensor(path, tensor) {
    return this.#constant(path, tensor);
  }

  /** An initializer of seeded normal numbers. */
  weight(name, dims, distribution) {
    return this.graph.addInitializer(normalTensor(name, dims, distribution, this.seed), name);
  }

  input(name, type) {
    return this.graph.addInput(new core.Value(name, type));
  }

  output(value, name, type) {
    value.name = name;
    value.type = type;
    this.graph.addOutput(value);
  }

  #constant(path, tensor) {
    return this.add(path, 'Constant', [], { value: core.tensorAttribute(tensor) });
  }

  #name(path, op) {
    const base = `${path}/${op}`;
    const count = this.#counts.get(base) ?? 0;
    this.#counts.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  }
}
