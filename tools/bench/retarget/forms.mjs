/**
 * Files as Python tools publish them, what retargeting should bring, and what else must hold.
 *
 * @typedef {object} Published
 * @property {string} form as opponent/published.py takes it
 * @property {number} [least] times as fast as the file that was published
 * @property {boolean} [isIdentical] outputs equal byte by byte at every optimization level
 * @property {string} [noWorseThan] a form whose error against float32 is no smaller
 * @property {boolean} [isLeft] nothing is gained, and that is said
 */

/** On CPUs with exact 8-bit dot products. @type {readonly Published[]} */
const exact = [
  { form: 'dynamic-u8', least: 1.7, isIdentical: true },
  { form: 'dynamic-u8-channel', least: 1.7, isIdentical: true },
  { form: 'static-s8s8', least: 3 },
  { form: 'static-s8s8-operator', least: 3 },
  { form: 'nbits-4-128', least: 1.2 },
  { form: 'nbits-8-128', least: 1.2 },
];

/** On CPUs that add pairs of products in 16 bits. @type {readonly Published[]} */
const pairs = [
  { form: 'dynamic-u8', least: 1.1, noWorseThan: 'dynamic-s8-7bit' },
  { form: 'dynamic-u8-channel', least: 1.1, noWorseThan: 'dynamic-s8-channel-7bit' },
  { form: 'dynamic-s8-channel', noWorseThan: 'dynamic-s8-channel-7bit' },
  { form: 'static-s8s8' },
  { form: 'nbits-8-128', isLeft: true },
];

export const saturates = (cpuClass) => cpuClass === 'avx2' || cpuClass === 'avx512';

/** What is done on a CPU of this class: for itself, and, where it is exact, for one that is not, without timing. */
export const workFor = (cpuClass) =>
  saturates(cpuClass) ? [{ published: pairs }] : [{ published: exact }, { published: pairs, target: 'x86-64-avx2' }];
