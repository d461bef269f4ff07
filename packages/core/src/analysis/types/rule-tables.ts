import type { Node } from '../../ir/index.ts';
import { firstVersionOf } from './operator-versions.ts';
import type { Rule, RuleTable } from './rule.ts';
import { attentionRules, flexAttention } from './rules/attention.ts';
import { controlFlowRules } from './rules/control-flow.ts';
import { convolutionRules } from './rules/convolution.ts';
import { elementwiseRules } from './rules/elementwise.ts';
import { gatheringRules } from './rules/gathering.ts';
import { generatorRules } from './rules/generators.ts';
import { machineLearningRules } from './rules/machine-learning.ts';
import { matrixRules } from './rules/matrix.ts';
import { microsoftRules } from './rules/microsoft.ts';
import { normalizationRules } from './rules/normalization.ts';
import { quantizationRules } from './rules/quantization.ts';
import { recurrentRules } from './rules/recurrent.ts';
import { reductionRules } from './rules/reductions.ts';
import { reshapingRules } from './rules/reshaping.ts';
import { resizingRules } from './rules/resizing.ts';
import { sequenceRules } from './rules/sequences.ts';
import { signalRules } from './rules/signal.ts';
import { slicingRules } from './rules/slicing.ts';
import { textRules } from './rules/text.ts';
import { lossRules, trainingRules } from './rules/training.ts';

const standard: RuleTable = {
  ...attentionRules,
  ...controlFlowRules,
  ...convolutionRules,
  ...elementwiseRules,
  ...gatheringRules,
  ...generatorRules,
  ...lossRules,
  ...matrixRules,
  ...normalizationRules,
  ...quantizationRules,
  ...recurrentRules,
  ...reductionRules,
  ...reshapingRules,
  ...resizingRules,
  ...sequenceRules,
  ...signalRules,
  ...slicingRules,
  ...textRules,
};

const domains: ReadonlyMap<string, RuleTable> = new Map([
  ['', standard],
  ['ai.onnx', standard],
  ['ai.onnx.ml', machineLearningRules],
  ['ai.onnx.preview', { FlexAttention: flexAttention }],
  ['ai.onnx.preview.training', trainingRules],
  ['com.microsoft', microsoftRules],
]);

export const isStandard = ({ domain }: Node): boolean => domain === '' || domain === 'ai.onnx';

/**
 * The rule of a node's operator. Python knows only the domains of the ONNX project itself, and no operator before the
 * opset that brought it; we do not mind, because exporters are not always exact about that.
 */
export function ruleOf(node: Node, version: number, emulates: boolean): Rule | undefined {
  if (emulates && (node.domain === 'com.microsoft' || (isStandard(node) && version < firstVersionOf(node.op)))) {
    return undefined;
  }
  const table = domains.get(node.domain);
  return table && Object.hasOwn(table, node.op) ? table[node.op] : undefined;
}
