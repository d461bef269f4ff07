import type { Capability } from '../../backend/index.ts';
import { type Model, type Value, verify } from '../../ir/index.ts';
import { parseModel, printModel } from '../../text/index.ts';
import { type RetargetResult, retargetModel } from './retarget-model.ts';
import type { RetargetTarget } from './target-kernels.ts';

// What tests of the rewrites have in common: two kinds of CPUs, and models as text.

const claim = (fields: Pick<Capability, 'op' | 'mode' | 'weight' | 'speed'> & Partial<Capability>): Capability => ({
  id: `${fields.op}-${fields.mode}-${fields.weight}`,
  activation: 'uint8',
  granularity: ['channel', 'tensor'],
  requires: [],
  kernels: [],
  exact: 'always',
  opset: 11,
  source: 'test',
  ...fields,
});

const products = (exact: Capability['exact'], signed: number, unsigned: number): Capability[] =>
  (['dynamic', 'static'] as const).flatMap((mode) =>
    (['MatMul', 'Gemm', 'Conv'] as const).flatMap((op) => {
      const filters = op === 'Conv' ? ({ filters: 'full' } as const) : {};
      return [
        claim({ op, mode, weight: 'int8', speed: signed, exact, ...filters }),
        claim({ op, mode, weight: 'uint8', speed: unsigned, ...filters }),
      ];
    }),
  );

const levels = (weight: 'uint4' | 'uint8', fast: readonly [few: number, many: number], slow: number): Capability[] => {
  const common = { op: 'MatMul', mode: 'weight-only', weight, kernels: ['MatMulNBits'], blocks: [32] } as const;
  return [
    claim({ ...common, accuracyLevel: 4, speed: fast[0], rows: { most: 4 } }),
    claim({ ...common, accuracyLevel: 4, speed: fast[1], rows: { least: 5 } }),
    claim({ ...common, accuracyLevel: 0, speed: slow }),
  ];
};

/** Multiplies u8 × s8 exactly, and faster than u8 × u8. */
export const exactTarget: RetargetTarget = {
  capabilities: [...products('always', 4, 1.6), ...levels('uint4', [2, 1.2], 0.9), ...levels('uint8', [2, 1.4], 0.5)],
  features: [],
};

/** Adds pairs of u8 × s8 products in 16 bits. */
export const pairTarget: RetargetTarget = {
  capabilities: [
    ...products('pair-rule', 2, 1.5),
    ...levels('uint4', [2, 0.9], 0.9),
    ...levels('uint8', [1.7, 0.6], 0.5),
  ],
  features: [],
};

export const header = (opset = 17): string => `<ir_version: 8, opset_import: ["": ${opset}, "com.microsoft": 1]>\n`;

export interface Retargeted extends RetargetResult {
  readonly model: Model;
  /** The nodes as text, one a line, without header and weights. */
  readonly nodes: string;
}

/** Retargets a model written as text; what comes out is valid, and retargeting it again changes nothing. */
export function retargeted(text: string, target: RetargetTarget): Retargeted {
  const model = parseModel(text);
  const result = retargetModel(model, target);
  const problems = verify(model);
  if (problems.length > 0) throw new Error(`The retargeted model is broken: ${JSON.stringify(problems)}`);
  const nodes = nodesOf(model);
  const again = retargetModel(model, target);
  if (again.actions.length > 0) throw new Error(`There is more to do: ${JSON.stringify(again.actions)}`);
  return { ...result, model, nodes };
}

const nodesOf = (model: Model): string =>
  printModel(model)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => / = \w/.test(line))
    .join('\n');

/** The numbers of an initializer, which may be given by name. */
export function numbersOf({ graph }: Model, named: string | Value | undefined): number[] {
  const value = typeof named === 'string' ? [...graph.initializers].find(({ name }) => name === named) : named;
  const tensor = value?.origin.kind === 'initializer' ? value.origin.tensor : undefined;
  if (!tensor) throw new Error(`There is no initializer ${String(named)}.`);
  const bytes = new Uint8Array(tensor.bytes());
  if (tensor.elementType === 'int8') return [...new Int8Array(bytes.buffer)];
  if (tensor.elementType === 'int32') return [...new Int32Array(bytes.buffer)];
  return tensor.elementType === 'float32' ? [...new Float32Array(bytes.buffer)] : [...bytes];
}

/** What was left alone, by operator. */
export const reasonsOf = ({ left }: RetargetResult): string[] => left.map(({ op, reason }) => `${op}: ${reason}`);
