import {
  type Attribute,
  addNode,
  float32Tensor,
  type Graph,
  int64Tensor,
  intAttribute,
  type Tensor,
  tensorOf,
  type Value,
} from '../ir/index.ts';

const float32 = 1;
const float64 = 11;

/** Builds the nodes of a check at the end of a graph. Numbers are float64 unless a name says otherwise. */
export class CheckBuilder {
  readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  add(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>> | ReadonlyMap<string, Attribute> = {},
    domain = '',
  ): Value {
    return addNode(this.graph, op, { inputs, attributes, domain }).outputs[0] as Value;
  }

  stored(tensor: Tensor): Value {
    return this.graph.addInitializer(tensor);
  }

  float32Constant(value: number): Value {
    return this.stored(float32Tensor([], [value]));
  }

  constant(value: number): Value {
    return this.stored(tensorOf('float64', [], Float64Array.of(value)));
  }

  toFloat64(value: Value): Value {
    return this.add('Cast', [value], { to: intAttribute(float64) });
  }

  toFloat32(value: Value): Value {
    return this.add('Cast', [value], { to: intAttribute(float32) });
  }

  /** value - zeroPoint. */
  centred(value: Value, zeroPoint: Value | undefined): Value {
    const numbers = this.toFloat64(value);
    return zeroPoint ? this.add('Sub', [numbers, this.toFloat64(zeroPoint)]) : numbers;
  }

  reshaped(value: Value, dims: readonly number[]): Value {
    return this.add('Reshape', [value, this.stored(int64Tensor([dims.length], dims))]);
  }

  sum(first: Value, ...others: readonly Value[]): Value {
    return others.reduce((a, b) => this.add('Add', [a, b]), first);
  }

  product(first: Value, ...others: readonly Value[]): Value {
    return others.reduce((a, b) => this.add('Mul', [a, b]), first);
  }

  /** |a - b|. */
  distance(a: Value, b: Value): Value {
    return this.add('Abs', [this.add('Sub', [a, b])]);
  }

  /** 1 where a < b does not hold, NaN included; else 0. */
  isNotBelow(a: Value, b: Value): Value {
    return this.toFloat64(this.add('Not', [this.add('Less', [a, b])]));
  }

  /** Over all elements, as a scalar. */
  reduced(op: 'ReduceMin' | 'ReduceMax' | 'ReduceSum', value: Value): Value {
    return this.add(op, [value], { keepdims: intAttribute(0) });
  }
}
