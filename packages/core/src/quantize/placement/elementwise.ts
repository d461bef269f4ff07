import type { Node } from '../../ir/index.ts';
import { isMaskConstant } from '../small-constant.ts';
import type { Placement } from './placement.ts';

const contrib = (op: string) => ({ op, domain: 'com.microsoft' }) as const;

/** A mask of -3.4e38 would take the whole range of the integers for itself. */
const withoutMask = ({ inputs }: Node): string | undefined =>
  inputs.some((value) => value && isMaskConstant(value)) ? 'a mask constant would take the whole range' : undefined;

/** The integer operator is older than this attribute. */
const withoutDilations = (node: Node): string | undefined =>
  node.ints('dilations')?.some((dilation) => dilation !== 1) ? 'dilations' : undefined;

/** Operators that compute number by number, or over small windows: every operand has a scale, the result its own. */
export const elementwise: readonly Placement[] = [
  {
    op: 'Add',
    inputs: ['activation'],
    output: 'own',
    order: 'binary',
    integer: contrib('QLinearAdd'),
    refuse: withoutMask,
  },
  {
    op: 'Mul',
    inputs: ['activation'],
    output: 'own',
    order: 'binary',
    integer: contrib('QLinearMul'),
    refuse: withoutMask,
  },
  {
    op: 'Where',
    inputs: ['plain', 'activation'],
    output: 'own',
    order: 'where',
    integer: contrib('QLinearWhere'),
    refuse: withoutMask,
  },
  { op: 'Concat', inputs: ['activation'], output: 'own', order: 'concat', integer: contrib('QLinearConcat') },
  { op: 'Sigmoid', inputs: ['activation'], output: 'own', order: 'unary', integer: contrib('QLinearSigmoid') },
  { op: 'LeakyRelu', inputs: ['activation'], output: 'own', order: 'unary', integer: contrib('QLinearLeakyRelu') },
  { op: 'Softmax', inputs: ['activation'], output: 'probability', order: 'unary', integer: contrib('QLinearSoftmax') },
  {
    op: 'AveragePool',
    inputs: ['activation'],
    output: 'own',
    order: 'unary',
    integer: contrib('QLinearAveragePool'),
    refuse: withoutDilations,
  },
  {
    op: 'GlobalAveragePool',
    inputs: ['activation'],
    output: 'own',
    order: 'unary',
    integer: contrib('QLinearGlobalAveragePool'),
  },
];
