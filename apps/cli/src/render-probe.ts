import { type CostTable, type KernelTime, recogniseArithmetic, timeOf } from '@optimum/core';
import type { ProbeResult } from '@optimum/core/node';
import { colours } from './colours.ts';
import { table } from './table.ts';

/** The table of measured kernels, for people: what the arithmetic does, then kernel by shape. */
export function renderProbe({ table: measured, key, origin, path, notes }: ProbeResult): string {
  const arithmetic = recogniseArithmetic(measured);
  const { cpu, runtime, behaviour, durationMs, measuredAt, unrest } = measured;
  const facts = [
    ['cpu', `${cpu.modelName}, ${cpu.architecture}: ${cpu.features.join(' ') || 'no known feature'}`],
    ['runtime', `${runtime.id} ${runtime.version}`],
    ['u8 × s8', `${behaviour.u8s8}, ${speedText(arithmetic.speed)} of float32`],
    ['class', arithmetic.text],
    ['measured', `${measuredAt}, in ${(durationMs / 1000).toFixed(1)} s, unrest ${(100 * unrest).toFixed(0)} %`],
    [origin, `${key} in ${path}`],
    ...(arithmetic.disagreement ? [[colours.yellow('warn'), arithmetic.disagreement]] : []),
    ...notes.map((note) => [colours.yellow('note'), note]),
  ];
  const sections = groups.flatMap(({ title, prefix, header, row }) => {
    const times = measured.kernels.filter(({ kernel }) => prefix.test(kernel));
    if (times.length === 0) return [];
    return [`\n${colours.bold(title)}\n${table([header, ...times.map((time) => row(time, measured))])}\n`];
  });
  return `${table(facts)}\n${sections.join('')}`;
}

interface Group {
  readonly title: string;
  readonly prefix: RegExp;
  readonly header: readonly string[];
  readonly row: (time: KernelTime, measured: CostTable) => readonly string[];
}

/** Two operations for each multiplication. */
const workOf = ({ rows, depth, columns }: KernelTime): number => 2 * rows * depth * columns;

const groups: readonly Group[] = [
  {
    title: 'Products, rows × K × N',
    prefix: /^(matmul|conv)-(?!.*-cold$)/,
    header: ['kernel', 'shape', 'time', 'GOPS', '× float32'],
    row: (time, measured) => [
      time.kernel,
      `${time.rows}×${time.depth}×${time.columns}`,
      timeText(time.microseconds),
      (workOf(time) / time.microseconds / 1000).toFixed(1),
      speedText(againstFloat(time, measured)),
    ],
  },
  {
    title: 'Products whose weights come from memory, one row',
    prefix: /-cold$/,
    header: ['kernel', 'weights', 'time of one'],
    row: ({ kernel, rows, depth, columns, microseconds }) => [
      kernel,
      `${rows} of ${depth}×${columns}`,
      timeText(microseconds),
    ],
  },
  {
    title: 'Other operators, rows × columns',
    prefix: /^(?!matmul|conv|attention)/,
    header: ['kernel', 'shape', 'time', 'ns for each number'],
    row: ({ kernel, rows, columns, microseconds }) => [
      kernel,
      `${rows}×${columns}`,
      timeText(microseconds),
      ((1000 * microseconds) / (rows * columns)).toFixed(2),
    ],
  },
  {
    title: 'Attention without projections, positions × heads of 64',
    prefix: /^attention-/,
    header: ['kernel', 'shape', 'time'],
    row: ({ kernel, rows, columns, microseconds }) => [kernel, `${rows}×${columns}`, timeText(microseconds)],
  },
];

/** Time of the float kernel at that shape over this one. NaN for the float kernels themselves. */
function againstFloat(time: KernelTime, measured: CostTable): number {
  const float = time.kernel.startsWith('conv-') ? `conv-float32-${time.kernel.split('-').at(-1)}` : 'matmul-float32';
  const isFloat = time.kernel.includes('float32');
  return isFloat ? Number.NaN : (timeOf(measured, float, time) ?? Number.NaN) / time.microseconds;
}

const speedText = (speed: number): string => (Number.isNaN(speed) ? '' : `${speed.toFixed(2)}×`);

export const timeText = (us: number): string => `${us < 100 ? us.toPrecision(3) : Math.round(us)} µs`;
