import type { CostTable, Feature } from '../backend/index.ts';
import { timeOf } from './cost-model.ts';

/** Classes of 8-bit arithmetic, by what sums of products do and how fast they are. */
export type ArithmeticClass = 'dot-product' | 'pairs' | 'widening';

export interface RecognisedArithmetic {
  readonly class: ArithmeticClass;
  /** For people. */
  readonly text: string;
  /** Throughput of u8 × s8 products against float32, at a sentence of 128 tokens. */
  readonly speed: number;
  /** What the CPU's flags promise and its arithmetic does not keep, or the other way round. */
  readonly disagreement?: string;
}

/** Features that promise exact 8-bit dot products. */
const dotProducts: readonly Feature[] = ['avx-vnni', 'avx512-vnni', 'amx-int8', 'avx-vnni-int8', 'dotprod', 'i8mm'];

/** Dot products of 8 bits reach four times float32; sums of 16-bit pairs, and widening to 16 bits, at most twice. */
const leastDotProductSpeed = 2.6;

const sentence = { rows: 128, depth: 1024, columns: 1024 } as const;

const texts: Readonly<Record<ArithmeticClass, string>> = {
  'dot-product': '8-bit dot products into 32 bits: u8 × s8 is exact and fast',
  pairs: 'pairs of 8-bit products are added in 16 bits: u8 × s8 saturates unless the weights are pair-aware',
  widening: '8-bit numbers are widened before they are multiplied: u8 × s8 is exact, and no faster than twice float32',
};

/** The class of a CPU by what it does, and whether its flags say the same. Pure. */
export function recogniseArithmetic(table: CostTable): RecognisedArithmetic {
  const float32 = timeOf(table, 'matmul-float32', sentence);
  const integer = timeOf(table, 'matmul-u8s8-dynamic', sentence);
  const speed = float32 === undefined || integer === undefined ? Number.NaN : float32 / integer;
  const kind = classOf(table, speed);
  const disagreement = disagreementOf(table.cpu.features, kind);
  return { class: kind, text: texts[kind], speed, ...(disagreement && { disagreement }) };
}

function classOf({ behaviour }: CostTable, speed: number): ArithmeticClass {
  if (behaviour.u8s8 === 'saturates') return 'pairs';
  return speed >= leastDotProductSpeed ? 'dot-product' : 'widening';
}

function disagreementOf(features: readonly Feature[], kind: ArithmeticClass): string | undefined {
  const promised = features.filter((feature) => dotProducts.includes(feature));
  if (promised.length > 0 && kind === 'pairs')
    return `the CPU shows ${promised.join(', ')}, and yet its sums saturate: the runtime does not use it (an emulator, or a kernel that hides it)`;
  if (promised.length === 0 && kind === 'dot-product')
    return 'the CPU shows no dot products, and yet its products are exact and as fast as with them: its flags are hidden';
  return undefined;
}
