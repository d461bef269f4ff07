import type {
  AlgorithmReport,
  CalibrationReport,
  QuantizeReport,
  SessionReport,
  TensorObservation,
  Verification,
} from '@optimum/core';
import { formatBytes, formatMs } from '@optimum/core';
import { colours } from './colours.ts';
import { table } from './table.ts';

/** The report as a person reads it. */
export function renderReport(report: QuantizeReport): string {
  const { target, runtime } = report;
  const where = target.isThisMachine ? 'this machine' : 'another machine than this one';
  const head = [
    ['target', `${target.name} (${target.id}, backend ${target.backend}): ${where}`],
    ['runtime', runtime ? `${runtime.id} ${runtime.version}` : 'none found'],
    ['recipe', report.recipe],
  ];
  const sessions = report.sessions
    .map((session) => `\n${colours.bold(session.name)}\n${table(sessionRows(session))}\n`)
    .join('');
  const notes = report.notes.map((note) => `  ${note}\n`).join('');
  const tail = report.published
    ? `\n${colours.bold('written')} ${report.output}  (${(report.durationMs / 1000).toFixed(1)} s)\n${notes}\n${indent(report.snippet)}\n`
    : `\n${colours.bold('dry run')}: nothing was written. --json prints the plan.\n`;
  return `${table(head)}\n${sessions}${tail}`;
}

const indent = (text: string): string => text.replace(/^/gm, '  ');

function sessionRows(session: SessionReport): string[][] {
  const rows: string[][] = [];
  const { before, after } = session.bytes;
  if (after > 0)
    rows.push(['size', `${formatBytes(before)} → ${formatBytes(after)}  (${((100 * after) / before).toFixed(0)} %)`]);
  rows.push(...verificationRows(session.verification));
  for (const [op, { integer, total }] of Object.entries(session.operators))
    rows.push(['integer', `${integer} of ${total} ${op}`]);
  if (session.scaleFactor !== undefined) {
    rows.push(['scales', `pair-aware, raised ${session.scaleFactor.toFixed(2)}× on average (7-bit weights: 2.00×)`]);
  }
  for (const { op, nodes, text } of session.left) rows.push(['float', `${nodes.length} ${op}: ${text}`]);
  if (session.calibration) rows.push(...calibrationRows(session.calibration));
  for (const algorithm of session.algorithms ?? []) rows.push(['algorithm', algorithmText(algorithm)]);
  for (const note of session.notes) rows.push(['note', note]);
  return rows;
}

/** Tensors that clip the most are named: a range that is too narrow shows here. */
const namedTensors = 3;
const clippedEnough = 1e-4;

function calibrationRows({ method, samples, data, madeUp, tensors }: CalibrationReport): string[][] {
  const source = data.map((shard) => shard.source).join(', ');
  const rows = [['calibrated', `${tensors.length} tensors on ${samples} samples of ${source}, method ${method.id}`]];
  if (madeUp) rows.push(['calibrated', colours.yellow('on made-up inputs: the ranges are a guess; give --data')]);
  const clipping = tensors.filter(({ clipped }) => clipped >= clippedEnough).sort((a, b) => b.clipped - a.clipped);
  for (const { id, clipped } of clipping.slice(0, namedTensors))
    rows.push(['clips', `${(100 * clipped).toPrecision(2)} % of ${id}`]);
  if (clipping.length > namedTensors) rows.push(['clips', `${clipping.length - namedTensors} more tensors, less each`]);
  const sum = (of: (observation: TensorObservation) => number): number =>
    tensors.reduce((total, { observation }) => total + of(observation), 0);
  const excluded = [
    [sum(({ excluded: { nan } }) => nan), 'NaN'],
    [sum(({ excluded: { infinite } }) => infinite), 'infinite'],
    [sum(({ excluded: { sentinel } }) => sentinel), 'mask sentinels'],
  ].filter(([count]) => count !== 0);
  if (excluded.length > 0) rows.push(['kept out', `${excluded.map((pair) => pair.join(' ')).join(', ')} values`]);
  return rows;
}

function algorithmText({ id, applied, considered, errorBefore, errorAfter, notes }: AlgorithmReport): string {
  const gain = applied > 0 ? `, error of a layer ${errorBefore.toPrecision(2)} → ${errorAfter.toPrecision(2)}` : '';
  return `${id}: ${applied} of ${considered}${gain}${notes.map((note) => `; ${note}`).join('')}`;
}

function verificationRows(verification: Verification): string[][] {
  if (verification.status === 'unverified') {
    return [
      [
        'proof',
        `${colours.yellow('unverified')}: ${verification.reason}${verification.hint ? `; ${verification.hint}` : ''}`,
      ],
    ];
  }
  const { kernels, integers, speed } = verification;
  const found = Object.entries(kernels.found)
    .map(([op, count]) => `${count} ${op}`)
    .join(', ');
  const rows = [['kernels', found || 'no integer product']];
  if (speed) rows.unshift(['speed', speedText(speed)]);
  rows.push([
    'exact',
    `${integers.outputs - integers.wrong} of ${integers.outputs} integer outputs of ${integers.nodes} products equal exact arithmetic`,
  ]);
  rows.push([
    'error',
    `${verification.relativeError.toPrecision(2)} relative, cosine ${verification.cosine.toFixed(5)}, over ${verification.cases.length} inputs`,
  ]);
  for (const missing of verification.notChecked) rows.push(['unchecked', missing]);
  return rows;
}

function speedText(speed: NonNullable<Extract<Verification, { status: 'verified' }>['speed']>): string {
  const interval = `${speed.speedup.toFixed(2)}× [${speed.low.toFixed(2)}–${speed.high.toFixed(2)}]`;
  const color = speed.verdict === 'faster' ? colours.green : speed.verdict === 'slower' ? colours.red : colours.yellow;
  const shape = Object.values(speed.input)[0]?.join('×') ?? '';
  const word = speed.verdict === 'slower' ? ' slower' : speed.verdict === 'same' ? ' no difference shown' : '';
  return `${color(interval)}${word}  ${formatMs(speed.originalMs)} → ${formatMs(speed.quantizedMs)}  (${shape}, ${speed.threads} thread)`;
}
