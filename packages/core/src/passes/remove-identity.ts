import { constantOf, inferTypes, integersOf, storedTensor } from '../analysis/index.ts';
import {
  codeOfElementType,
  type Dim,
  type Graph,
  type Model,
  type Node,
  type Shape,
  type Value,
  type ValueType,
} from '../ir/index.ts';
import { type ScalarBeside, scalarBeside } from './constant-scalar.ts';
import { dropUnread } from './drop-unread.ts';
import { editableGraphs } from './editable-graphs.ts';

/**
 * Removes operators that hand on what they get: Identity, Dropout in inference, Cast to the type that is there, Reshape
 * to the shape that is there, and Mul, Div, Add and Sub with a scalar that changes nothing. Returns how many went.
 */
export function removeIdentity(model: Model): number {
  const { typeOf } = inferTypes(model);
  const known: Known = { scalar: scalarBeside(model), typeOf };
  let count = 0;
  for (const graph of editableGraphs(model)) {
    for (const node of [...graph.nodes()]) {
      const source = handedOn(node, known);
      if (source && bypass(node, source, graph)) count++;
    }
  }
  return count;
}

interface Known {
  readonly scalar: ScalarBeside;
  readonly typeOf: (value: Value) => ValueType | undefined;
}

/** The input that comes out unchanged. */
function handedOn(node: Node, known: Known): Value | undefined {
  if (node.domain !== '' || !Object.hasOwn(identities, node.op)) return undefined;
  return identities[node.op]?.(node, known);
}

type HandedOn = (node: Node, known: Known) => Value | undefined;

const neutral =
  (number: number, isCommutative: boolean): HandedOn =>
  ({ inputs: [a, b] }, { scalar }) => {
    if (scalar(b, a) === number) return a;
    return isCommutative && scalar(a, b) === number ? b : undefined;
  };

const identities: Readonly<Record<string, HandedOn>> = {
  Identity: ({ inputs: [input] }) => input,
  Mul: neutral(1, true),
  Div: neutral(1, false),
  Add: neutral(0, true),
  Sub: neutral(0, false),
  Dropout({ inputs: [input, , training], outputs: [, mask] }) {
    const isMaskRead = mask !== undefined && mask.uses.size > 0;
    const isInference = !training || (storedTensor(training)?.bytes()[0] ?? 1) === 0;
    return isInference && !isMaskRead ? input : undefined;
  },
  Cast(node, { typeOf }) {
    const input = node.inputs[0];
    const type = input && typeOf(input);
    const elementType = type?.kind === 'tensor' ? type.elementType : undefined;
    return elementType && codeOfElementType(elementType) === node.int('to', 0) ? input : undefined;
  },
  Reshape(node, { typeOf }) {
    const [input, target] = node.inputs;
    const type = input && typeOf(input);
    const shape = type?.kind === 'tensor' ? type.shape : undefined;
    const isSame = shape && node.int('allowzero', 0) === 0 && isShape(integersOf(target), shape);
    return isSame ? input : undefined;
  },
};

/** True when the target of a Reshape is the shape that is there; one -1 is what the others leave. */
function isShape(target: readonly number[] | undefined, shape: Shape): boolean {
  if (target?.length !== shape.length) return false;
  const isSame = (dim: number, axis: number): boolean => dim === 0 || dim === -1 || dim === (shape[axis] as Dim);
  return target.every(isSame) && target.filter((dim) => dim === -1).length <= 1;
}

/** Names of graph inputs and outputs never change: what joins two of them stays. */
function bypass(node: Node, source: Value, graph: Graph): boolean {
  const output = node.outputs[0];
  if (!output) return false;
  if (output.isGraphOutput && (source.isPublic || source.producer?.graph !== graph || constantOf(source))) return false;
  const inputs = node.inputs.filter((value) => value !== source);
  output.replaceAllUsesWith(source);
  graph.remove(node);
  dropUnread(inputs);
  return true;
}
