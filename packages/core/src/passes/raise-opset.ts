import { inferTypes } from '../analysis/index.ts';
import {
  float32Tensor,
  type Graph,
  int64Tensor,
  intAttribute,
  type Model,
  type Node,
  type Value,
} from '../ir/index.ts';
import { editableGraphs } from './editable-graphs.ts';

/** The opset to which models can be raised: scales by channel need it. */
export const raisedOpset = 13;

/** IR version that belongs to it. */
const raisedIrVersion = 7;

/**
 * Rewrites a model of opset 7 to 12 for opset 13: attributes become inputs, and defaults that changed are written out.
 * Returns why it cannot be done, each reason once; then nothing is changed. Empty for a model that is new enough.
 * @source onnx/defs, every schema of the standard domain whose signature changes after version 7 and up to 13
 */
export function raiseOpset(model: Model): readonly string[] {
  const opset = model.opset() ?? 0;
  if (opset >= raisedOpset) return [];
  if (opset < 7) return [`opset ${opset} broadcasts in another way`];
  if (model.functions.length > 0) return ['model-local functions have opsets of their own'];
  const before: Before = { opset, ...knownTypes(model) };
  const nodes = editableGraphs(model).flatMap((graph) => [...graph.nodes()]);
  const changes = nodes.flatMap((node) => {
    const change = node.domain === '' && Object.hasOwn(changed, node.op) ? changed[node.op] : undefined;
    return change && opset < change.since ? [{ node, ...change }] : [];
  });
  const reasons = changes.flatMap(({ node, whyNot }) => whyNot?.(node, before) ?? []);
  if (reasons.length > 0) return [...new Set(reasons)];
  for (const { node, rewrite } of changes) rewrite?.(node, node.graph as Graph);
  model.opsetImports = model.opsetImports.filter(({ domain }) => domain !== 'ai.onnx');
  model.requireOpset('', raisedOpset);
  model.irVersion = Math.max(model.irVersion ?? 0, raisedIrVersion);
  return [];
}

/** What is known of the model before it is changed. */
interface Before {
  readonly opset: number;
  readonly rankOf: (value: Value | undefined) => number | undefined;
  readonly isFloat32: (value: Value | undefined) => boolean;
}

interface Change {
  /** Version of the operator that is another one. */
  readonly since: number;
  /** Why a node cannot be rewritten. */
  readonly whyNot?: (node: Node, before: Before) => string | undefined;
  readonly rewrite?: (node: Node, graph: Graph) => void;
}

function knownTypes(model: Model): Omit<Before, 'opset'> {
  const { typeOf } = inferTypes(model);
  const tensorTypeOf = (value: Value | undefined) => {
    const type = value && typeOf(value);
    return type?.kind === 'tensor' ? type : undefined;
  };
  return {
    rankOf: (value) => tensorTypeOf(value)?.shape?.length,
    isFloat32: (value) => tensorTypeOf(value)?.elementType === 'float32',
  };
}

/** Integers of an attribute as an input. */
const integersToInput =
  (attribute: string, index: number) =>
  (node: Node, graph: Graph): void => {
    const numbers = node.ints(attribute);
    if (numbers) node.setInput(index, graph.addInitializer(int64Tensor([numbers.length], numbers)));
    node.setAttribute(attribute, undefined);
  };

/** A number of an attribute as a scalar input, where it is given. */
const floatToInput =
  (attribute: string, index: number) =>
  (node: Node, graph: Graph): void => {
    if (node.attributes.has(attribute))
      node.setInput(index, graph.addInitializer(float32Tensor([], [node.float(attribute, 0)])));
    node.setAttribute(attribute, undefined);
  };

const inTurn =
  (...rewrites: readonly ((node: Node, graph: Graph) => void)[]) =>
  (node: Node, graph: Graph): void => {
    for (const rewrite of rewrites) rewrite(node, graph);
  };

const refused = (since: number, reason: string): Change => ({ since, whyNot: () => reason });

/** The number comes as an input of the data's own type, and only float32 is written here. */
const needsFloat32 =
  (...attributes: readonly string[]) =>
  (node: Node, { isFloat32 }: Before): string | undefined =>
    attributes.some((name) => node.attributes.has(name)) && !isFloat32(node.inputs[0])
      ? `${node.op} on what is not known to be float32`
      : undefined;

/** All axes from `axis` on were one; now `axis` stands alone. */
const lastAxis: Change = {
  since: 13,
  whyNot(node, { rankOf }) {
    const rank = rankOf(node.inputs[0]);
    const axis = node.int('axis', 1);
    return axis === -1 || axis + 1 === rank ? undefined : `${node.op} over several axes, or of unknown rank`;
  },
  rewrite: (node) => node.setAttribute('axis', intAttribute(-1)),
};

const changed: Readonly<Record<string, Change>> = {
  BatchNormalization: {
    since: 9,
    whyNot: (node) => (node.int('spatial', 1) === 1 ? undefined : 'BatchNormalization by element'),
    rewrite: (node) => node.setAttribute('spatial', undefined),
  },
  Slice: {
    since: 10,
    rewrite: inTurn(integersToInput('starts', 1), integersToInput('ends', 2), integersToInput('axes', 3)),
  },
  TopK: {
    since: 10,
    rewrite(node, graph) {
      node.setInput(1, graph.addInitializer(int64Tensor([1], [node.int('k', 1)])));
      node.setAttribute('k', undefined);
    },
  },
  Clip: {
    since: 11,
    whyNot: needsFloat32('min', 'max'),
    rewrite: inTurn(floatToInput('min', 1), floatToInput('max', 2)),
  },
  Pad: {
    since: 11,
    whyNot: needsFloat32('value'),
    rewrite: inTurn(integersToInput('pads', 1), floatToInput('value', 2)),
  },
  // In inference its ratio says nothing.
  Dropout: { since: 12, rewrite: (node) => node.setAttribute('ratio', undefined) },
  Squeeze: { since: 13, rewrite: integersToInput('axes', 1) },
  Unsqueeze: { since: 13, rewrite: integersToInput('axes', 1) },
  ReduceSum: { since: 13, rewrite: integersToInput('axes', 1) },
  Split: { since: 13, rewrite: integersToInput('split', 1) },
  Softmax: lastAxis,
  LogSoftmax: lastAxis,
  Hardmax: lastAxis,
  Upsample: refused(10, 'Upsample is gone'),
  Resize: refused(11, 'Resize of opset 10 samples in another way'),
  Scan: refused(9, 'Scan of opset 8 is another operator'),
  Scatter: refused(11, 'Scatter is gone'),
};
