import { type Model, type Node, replaceNode } from '../ir/index.ts';
import { type Affine, channelOf, compose, identityAffine, isAll, isFiniteAffine } from './affine.ts';
import { type AffineStep, affineStep } from './affine-step.ts';
import { dropUnread } from './drop-unread.ts';
import { editableGraphs } from './editable-graphs.ts';
import { scaleWeight } from './scaled-weight.ts';
import { soleConsumer } from './sole-consumer.ts';
import { setBias, type WeightedProduct, weightedProduct } from './weighted-product.ts';

/**
 * Folds what scales and shifts the channels behind convolutions and matrix products into their weights and biases, as
 * long as nothing else sees the values between. Returns how many operators went.
 * @param isWanted operators that may go
 */
export function foldBehind(model: Model, isWanted: (node: Node) => boolean): number {
  let count = 0;
  for (const graph of editableGraphs(model)) {
    for (const node of [...graph.nodes()]) {
      const product = node.graph === graph ? weightedProduct(node) : undefined;
      const chain = product && chainBehind(product, isWanted);
      if (!chain || chain.steps.length === 0) continue;
      fold(product, chain);
      count += chain.steps.length;
    }
  }
  return count;
}

interface Chain {
  readonly steps: readonly AffineStep[];
  /** All steps in one. */
  readonly affine: Affine;
}

/** The longest chain behind a product that it can take up. */
function chainBehind(product: WeightedProduct, isWanted: (node: Node) => boolean): Chain {
  let chain: Chain = { steps: [], affine: identityAffine };
  for (let value = product.output; ; ) {
    const consumer = soleConsumer(value);
    const step = consumer && isWanted(consumer) ? affineStep(consumer, product.layout) : undefined;
    const affine = step?.input === value ? compose(chain.affine, step.affine) : undefined;
    if (!step || !affine || !isFiniteAffine(affine)) return chain;
    if (!product.takesBias && !isAll(affine.shift, 0)) return chain;
    chain = { steps: [...chain.steps, step], affine };
    value = step.output;
  }
}

function fold(product: WeightedProduct, { steps, affine }: Chain): void {
  const { node, output } = product;
  const replaced = [node.inputs[1], node.inputs[2], ...steps.flatMap((step) => step.node.inputs)];
  foldIntoProduct(product, affine);
  // The product now gives what the last step gave, and goes by its name.
  output.name = undefined;
  for (const [index, step] of [...steps].reverse().entries()) {
    if (index === 0) replaceNode(step.node, output);
    else step.node.graph?.remove(step.node);
  }
  dropUnread(replaced.filter((value) => value !== output));
}

function foldIntoProduct(product: WeightedProduct, affine: Affine): void {
  const { node, weight, outputChannel } = product;
  if (!isAll(affine.scale, 1))
    scaleWeight(node, weight, (first, second) => channelOf(affine.scale, outputChannel(first, second)));
  const bias = compose({ scale: [1], shift: product.bias }, affine).shift;
  if (node.inputs[2] || !isAll(bias, 0)) setBias(product, bias);
}
