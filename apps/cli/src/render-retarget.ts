import { formatBytes, formatMs, type RetargetReport, type RetargetSessionReport } from '@optimum/core';
import { colours } from './colours.ts';
import { table } from './table.ts';

/** The report as a person reads it. */
export function renderRetarget(report: RetargetReport): string {
  const { target, runtime } = report;
  const where = target.isThisMachine ? 'this machine' : 'another machine than this one';
  const head = [
    ['target', `${target.name} (${target.id}, backend ${target.backend}): ${where}`],
    ['runtime', runtime ? `${runtime.id} ${runtime.version}` : 'none found'],
  ];
  const sessions = report.sessions
    .map((session) => `\n${colours.bold(session.name)}\n${table(sessionRows(session))}\n`)
    .join('');
  const notes = report.notes.map((note) => `  ${note}\n`).join('');
  const tail = report.published
    ? `\n${colours.bold('written')} ${report.output}  (${(report.durationMs / 1000).toFixed(1)} s)\n${notes}`
    : `\n${colours.bold('dry run')}: nothing was written.\n${notes}`;
  return `${table(head)}\n${sessions}${tail}`;
}

function sessionRows(session: RetargetSessionReport): string[][] {
  const { before, after } = session.bytes;
  const rows = session.actions.flatMap(actionRows);
  if (session.status === 'copied') rows.push(['copied', 'nothing is gained for it; the folder needs it all the same']);
  else if (after > 0) rows.push(['size', `${formatBytes(before)} → ${formatBytes(after)}`]);
  if (session.status !== 'copied') rows.push(...verificationRows(session));
  for (const { op, nodes, reason, advice, maySaturate } of session.left) {
    const text = `${nodes.length} ${op}: ${reason}${advice ? `; ${advice}` : ''}`;
    rows.push(['left', maySaturate ? colours.yellow(text) : text]);
  }
  for (const note of session.notes) rows.push(['note', note]);
  return rows;
}

function actionRows({ op, nodes, text, predictedGain, pairs }: RetargetSessionReport['actions'][number]): string[][] {
  const gain =
    predictedGain === undefined
      ? 'gain not known before it is measured'
      : predictedGain === 1
        ? 'the same kernel, now exact'
        : `${predictedGain.toFixed(2)}× predicted for them`;
  const rows = [['changed', `${nodes.length} ${op}: ${text} (${gain})`]];
  if (pairs)
    rows.push([
      'pairs',
      `${pairs.risky} of ${pairs.columns} channels could saturate; their scales were raised ${pairs.scaleFactor.toFixed(2)}× on average (7-bit weights: 2.00×)`,
    ]);
  return rows;
}

function verificationRows({ verification }: RetargetSessionReport): string[][] {
  if (verification.status === 'unverified') {
    const { reason, hint } = verification;
    return [['proof', `${colours.yellow('unverified')}: ${reason}${hint ? `; ${hint}` : ''}`]];
  }
  const { speed, integers, identity, relativeError, cosine, cases, notChecked } = verification;
  const rows: string[][] = [];
  if (speed) {
    const color = { faster: colours.green, slower: colours.red, same: colours.yellow }[speed.verdict];
    const interval = `${speed.speedup.toFixed(2)}× [${speed.low.toFixed(2)}–${speed.high.toFixed(2)}]`;
    const shape = Object.values(speed.input)[0]?.join('×') ?? '';
    rows.push([
      'speed',
      `${color(interval)}  ${formatMs(speed.originalMs)} → ${formatMs(speed.quantizedMs)}  (${shape}, ${speed.threads} thread)`,
    ]);
  }
  if (identity) {
    const levels = identity.identicalAt.length > 0 ? identity.identicalAt.join(', ') : 'none';
    rows.push(['identical', `byte by byte on ${identity.cases} inputs at optimization levels: ${levels}`]);
  }
  rows.push([
    'exact',
    `${integers.outputs - integers.wrong} of ${integers.outputs} integer outputs of ${integers.nodes} products equal exact arithmetic`,
  ]);
  rows.push([
    'error',
    `${relativeError.toPrecision(2)} relative to the given model, cosine ${cosine.toFixed(5)}, over ${cases.length} inputs`,
  ]);
  for (const missing of notChecked) rows.push(['unchecked', missing]);
  return rows;
}
