import { type Capability, holdsOn } from '../../backend/index.ts';
import { intAttribute, type Node, walkNodes } from '../../ir/index.ts';
import type { RetargetScope, Rewrite } from './rewrite.ts';

const contrib = 'com.microsoft';
/** Activations become int8 while the operator runs. */
const fastLevel = 4;

/**
 * MatMulNBits with float arithmetic gets accuracy level 4 where the target is claimed to be faster with it at every number
 * of rows, and no slower than a float product.
 * @source onnxruntime contrib_ops MatMulNBits, attribute accuracy_level; research: runtime.md section 0, fact 6
 */
export const chooseAccuracyLevel: Rewrite = (scope) => {
  for (const node of walkNodes(scope.model)) if (node.is('MatMulNBits', contrib)) treat(node, scope);
};

function treat(node: Node, { target, act, leave }: RetargetScope): void {
  const level = node.int('accuracy_level', 0);
  if (level === fastLevel) {
    leave(node, `it has accuracy level ${fastLevel} already`);
    return;
  }
  const claims = target.capabilities.filter((claim) => isClaimFor(claim, node) && holdsOn(claim, target.features));
  const fast = claims.filter(({ accuracyLevel }) => accuracyLevel === fastLevel);
  const slow = claims.filter(({ accuracyLevel }) => accuracyLevel === 0);
  const why = fast.length === 0 ? 'no kernel at accuracy level 4 is claimed for the target' : whyNot(fast, slow);
  if (why) {
    leave(node, why);
    return;
  }
  node.setAttribute('accuracy_level', intAttribute(fastLevel));
  const gains = fast.map((claim) => gainOver(claim, slow)).filter((gain) => gain !== undefined);
  act(node, {
    rewrite: 'accuracy-level',
    text: `accuracy level ${level} became ${fastLevel}: activations are made int8 while it runs`,
    identicalUpTo: 'none',
    predictedGain: gains.length > 0 ? Math.min(...gains) : undefined,
    source: fast[0]?.source,
  });
}

/** A kernel for such weights: their bits, and how many share a scale. */
function isClaimFor({ kernels, mode, weight, blocks }: Capability, node: Node): boolean {
  const isBlock = blocks === undefined || blocks.includes(node.int('block_size', 0));
  return mode === 'weight-only' && kernels.includes(node.op) && weight === `uint${node.int('bits', 4)}` && isBlock;
}

function whyNot(fast: readonly Capability[], slow: readonly Capability[]): string | undefined {
  const losing = fast.find((claim) => claim.speed < 1 || (gainOver(claim, slow) ?? 2) <= 1);
  if (!losing) return undefined;
  const { least = 1, most } = losing.rows ?? {};
  const rows = most === undefined ? `${least} rows and more` : `${least} to ${most} rows`;
  const against = losing.speed < 1 ? `${losing.speed}× the speed of float` : 'no faster than level 0';
  return `accuracy level 4 does not pay at every size: at ${rows} it is ${against} on the target`;
}

/** Against float arithmetic on the same weights, at the same numbers of rows; `undefined` where that is not claimed. */
function gainOver(claim: Capability, slow: readonly Capability[]): number | undefined {
  const same = slow.filter((other) => doMeet(claim, other));
  return same.length > 0 ? claim.speed / Math.max(...same.map(({ speed }) => speed)) : undefined;
}

const doMeet = (a: Capability, b: Capability): boolean =>
  (a.rows?.least ?? 1) <= (b.rows?.most ?? Number.POSITIVE_INFINITY) &&
  (b.rows?.least ?? 1) <= (a.rows?.most ?? Number.POSITIVE_INFINITY);
