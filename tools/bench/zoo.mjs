import { median } from './lib/statistics.mjs';
import { withMemoryFolder } from './lib/subjects.mjs';
import { quantizeFile } from './zoo/quantize-file.mjs';
import { zooFiles } from './zoo/zoo-files.mjs';

/** ALBERT's layers share one set of weights: every use of it must become integer. */
const albert = { name: 'models/rxn-albert.onnx', matMuls: 75 };

export async function run({ only, verify, log }) {
  const files = zooFiles().filter(({ name }) => !only || only.some((text) => name.includes(text)));
  const rows = await withMemoryFolder(async (folder) => {
    const done = [];
    for (const [index, file] of files.entries()) {
      const row = await quantizeFile(file, folder, verify);
      log(`${index + 1} of ${files.length} ${row.name}: ${lineOf(row).slice(1).filter(Boolean).join(', ')}`);
      done.push(row);
    }
    return done;
  });
  return {
    tables: [summaryTable(rows), fileTable(rows)],
    notes: notesOf(rows, verify),
    failures: [
      ...rows.filter(({ failure }) => failure).map(({ name, failure }) => `${name}: ${failure}`),
      ...albertFailure(rows),
    ],
    data: rows,
  };
}

function summaryTable(rows) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return {
    title: 'By group',
    columns: [
      'group',
      'files',
      'quantized',
      'nothing to do',
      'failed',
      'median size',
      'largest error',
      'faster',
      'no difference',
      'slower',
      'wrong integer outputs',
    ],
    rows: [
      ...groups.map((group) =>
        groupRow(
          group,
          rows.filter((row) => row.group === group),
        ),
      ),
      groupRow('all', rows),
    ],
  };
}

function groupRow(name, rows) {
  const done = rows.filter(({ session }) => session);
  const failed = rows.filter(({ failure }) => failure).length;
  const nothing = rows.filter(({ session, failure }) => !session && !failure).length;
  const proofs = done.map(({ session }) => session.verification).filter(({ status }) => status === 'verified');
  const verdicts = (verdict) => String(proofs.filter(({ speed }) => speed?.verdict === verdict).length);
  const sizes = done.map(({ session: { bytes } }) => bytes.after / bytes.before);
  const largest = proofs.length > 0 ? Math.max(...proofs.map(({ relativeError }) => relativeError)).toPrecision(2) : '';
  const wrong = proofs.reduce((sum, { integers }) => sum + integers.wrong, 0);
  return [
    name,
    ...[rows.length, done.length, nothing, failed].map(String),
    sizes.length > 0 ? percent(median(sizes)) : '',
    largest,
    ...['faster', 'same', 'slower'].map(verdicts),
    proofs.length > 0 ? String(wrong) : '',
  ];
}

const percent = (ratio) => `${(100 * ratio).toFixed(0)} %`;

function fileTable(rows) {
  return {
    title: 'By file (exports only where something failed; all are in the raw figures)',
    columns: ['file', 'verdict', 'integer', 'size', 'error', 'speed-up', 'wrong integer outputs'],
    rows: rows.filter(({ group, failure }) => group === 'models' || group === 'own' || failure).map(lineOf),
  };
}

function lineOf({ name, verdict, session }) {
  if (!session) return [name, verdict, '', '', '', '', ''];
  const { operators, bytes, verification } = session;
  const integer = Object.entries(operators).map(([op, { integer: count, total }]) => `${count} of ${total} ${op}`);
  const line = [name, verdict, integer.join(', '), percent(bytes.after / bytes.before)];
  if (verification.status !== 'verified') return [...line, '', '', ''];
  const { cases, relativeError, speed, integers } = verification;
  const shown = speed
    ? `${speed.speedup.toFixed(2)}× [${speed.low.toFixed(2)}–${speed.high.toFixed(2)}]`
    : 'not measured';
  // A proof without a case that the original takes has compared nothing: its 0 is no error of 0.
  const error = cases.length > 0 ? relativeError.toPrecision(2) : 'not compared';
  return [...line, error, shown, `${integers.wrong} of ${integers.outputs}`];
}

function notesOf(rows, verify) {
  const unchecked = rows.filter(({ session }) => session?.verification.notChecked?.length > 0);
  const counts = new Map();
  for (const { verdict } of rows) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [
    `Verdicts: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}.`,
    ...(verify ? [] : ['Without the proof on the runtime (--no-verify).']),
    'Speed-up: median of interleaved rounds with its 95 % interval; “no difference” where that holds 1.',
    ...(unchecked.length > 0
      ? [
          `Something could not be checked in ${unchecked.length} files, first ${unchecked[0].name}: ${unchecked[0].session.verification.notChecked[0]}.`,
        ]
      : []),
  ];
}

function albertFailure(rows) {
  const row = rows.find(({ name }) => name === albert.name);
  const count = row?.session?.operators.MatMul?.integer;
  return row && count !== albert.matMuls
    ? [`${albert.name}: ${count ?? 0} of ${albert.matMuls} MatMuls are integer`]
    : [];
}
