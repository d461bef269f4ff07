import { type Dim, type ElementType, tensorType, type ValueType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { firstInput, type OutputTypes, type RuleTable, shaped } from '../rule.ts';
import { productOf } from '../shapes.ts';

/** Element type that a family of attributes (`values_floats`, `values_tensor`, …) holds. */
function elementOfAttributes(op: OperatorContext, prefix: string): ElementType | undefined {
  const tensor = op.attribute(`${prefix}_tensor`);
  if (tensor?.type === 'tensor') return tensor.value.elementType;
  if (op.has(`${prefix}_strings`)) return 'string';
  if (op.has(`${prefix}_int64s`)) return 'int64';
  return op.has(`${prefix}_floats`) ? 'float32' : undefined;
}

function encodeLabels(op: OperatorContext): OutputTypes {
  const element = elementOfAttributes(op, 'values') ?? op.fail('no attribute holds the values');
  return [tensorType(element, op.shape(0))];
}

/** @source onnx/defs/traditionalml/defs.cc, ArrayFeatureExtractor */
function extractFeatures(op: OperatorContext): OutputTypes {
  const [shape, indices] = [op.shape(0), op.shape(1)];
  if (!shape || (shape.length === 1 && op.emulates)) return shaped(op, undefined);
  const count = indices && indices.length > 0 ? productOf(indices, 0, indices.length, op.algebra) : null;
  return shaped(op, shape.length === 1 ? [1, count] : [...shape.slice(0, -1), count]);
}

function hasStrings(op: OperatorContext): boolean {
  const labels = op.attribute('classlabels_strings');
  return labels?.type === 'strings' && labels.value.length > 0;
}

/** Labels and scores; [batch] and [batch, classes]. */
function classify(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  const batch: Dim = shape ? (shape.length === 1 ? 1 : (shape[0] as Dim)) : null;
  const labels = op.ints('classlabels_ints') ?? op.ints('classlabels_int64s') ?? [];
  const scores =
    op.emulates && op.node.op === 'SVMClassifier' ? undefined : tensorType('float32', [batch, labels.length || null]);
  return [tensorType(hasStrings(op) ? 'string' : 'int64', [batch]), scores];
}

/** @source onnx/defs/traditionalml/defs.cc, TreeEnsemble */
function treeEnsemble(op: OperatorContext): OutputTypes {
  return shaped(op, [op.shape(0)?.[0] ?? null, op.int('n_targets') ?? null]);
}

function oneHotEncode(op: OperatorContext): OutputTypes {
  const strings = op.attribute('cats_strings');
  const count = op.ints('cats_int64s')?.length ?? (strings?.type === 'strings' ? strings.value.length : 0);
  const shape = op.shape(0);
  return shape || !op.emulates ? [tensorType('float32', shape && [...shape, count])] : [];
}

function zipMap(op: OperatorContext): OutputTypes {
  const map: ValueType = { kind: 'map', key: hasStrings(op) ? 'string' : 'int64', value: tensorType('float32', []) };
  return [{ kind: 'sequence', element: map }];
}

export const machineLearningRules: RuleTable = {
  ArrayFeatureExtractor: extractFeatures,
  Binarizer: firstInput,
  LabelEncoder: encodeLabels,
  LinearClassifier: classify,
  OneHotEncoder: oneHotEncode,
  Scaler: (op) => (op.emulates ? [] : [tensorType('float32', op.shape(0))]),
  SVMClassifier: classify,
  TreeEnsemble: treeEnsemble,
  ZipMap: zipMap,
};
