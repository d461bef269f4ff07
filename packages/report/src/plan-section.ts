import type { Decision, LeftFloat, Plan, PlanEntry, SessionReport, WeightScheme } from '@optimum/core';
import { counted, formatCount } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { facts, table } from './table.ts';

/** What became integer and how, what stayed in float and why, and the decision on every node. */
export function planSection({ plan, left, scaleFactor }: SessionReport): Html {
  const raised =
    scaleFactor && `pair-aware, raised ${scaleFactor.toFixed(2)}× on average (weights of 7 bits would be 2.00×)`;
  return html`${operatorTable(plan)}${facts([
    ['Made for', html`<code>${plan.target}</code>${plan.features.length > 0 && ` with ${plan.features.join(', ')}`}`],
    ['Recipe of the plan', plan.recipe],
    ['Integer activations', activationText(plan)],
    ['Written as', plan.form && formTexts[plan.form]],
    ['Weight scales', raised],
  ])}${left.length > 0 && leftTable(left)}${nodeTable(plan.entries)}`;
}

const formTexts: Readonly<Record<NonNullable<Plan['form']>, string>> = {
  qdq: 'QuantizeLinear and DequantizeLinear around float operators, which the runtime fuses',
  qoperator: 'integer operators',
};

interface OperatorRow {
  readonly op: string;
  readonly integer: number;
  readonly total: number;
  /** How many nodes are stored in which way. */
  readonly ways: ReadonlyMap<string, number>;
}

function operatorTable({ entries }: Plan): Html {
  return table(
    operatorRows(entries),
    [
      { title: 'Operator', kind: 'name', cell: ({ op }) => op },
      { title: 'Integer', kind: 'number', cell: ({ integer }) => formatCount(integer), sort: ({ integer }) => integer },
      { title: 'Of', kind: 'number', cell: ({ total }) => formatCount(total), sort: ({ total }) => total },
      {
        title: 'How',
        cell: ({ ways }) => [...ways].map(([way, count]) => html`<div>${formatCount(count)} × ${way}</div>`),
      },
    ],
    { caption: 'Operators that the plan decides on', sortable: true },
  );
}

function operatorRows(entries: readonly PlanEntry[]): OperatorRow[] {
  const byOperator = new Map<string, PlanEntry[]>();
  for (const entry of entries) {
    const own = byOperator.get(entry.op) ?? [];
    own.push(entry);
    byOperator.set(entry.op, own);
  }
  return [...byOperator].map(([op, own]) => ({
    op,
    integer: own.filter(isInteger).length,
    total: own.length,
    ways: countsOf(own.map(({ decision }) => wayOf(decision))),
  }));
}

const isInteger = ({ decision }: PlanEntry): boolean => decision.action !== 'float';

function countsOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** A decision as a person says it. */
function wayOf(decision: Decision): string {
  switch (decision.action) {
    case 'matmul':
    case 'conv':
      return `${weightText(decision.weight)}; activations are measured while it runs`;
    case 'embedding':
      return `table of ${decision.table.elementType}, one scale per ${decision.table.granularity}`;
    case 'static':
      return `${decision.weight ? `${weightText(decision.weight)}; ` : ''}activations by calibration`;
    case 'float':
      return 'float';
  }
}

const rangeTexts: Readonly<Record<WeightScheme['range'], string>> = {
  full: '',
  reduced: ', 7 bits',
  'pair-aware': ', pair-aware',
};

const weightText = ({ elementType, granularity, range }: WeightScheme): string =>
  `weight of ${elementType}, one scale per ${granularity}${rangeTexts[range]}`;

function activationText({ activations = [] }: Plan): string | undefined {
  if (activations.length === 0) return undefined;
  const count = (wanted: string): number => activations.filter(({ parameters }) => parameters.kind === wanted).length;
  const types = [
    ...countsOf(activations.map(({ scheme }) => `${scheme.elementType}${scheme.symmetric ? ' symmetric' : ''}`)),
  ];
  const kinds = `${count('own')} by their own statistics, ${count('shared')} as another, ${count('fixed')} known without data`;
  return `${counted(activations.length, 'tensor')} (${types.map(([type, many]) => `${formatCount(many)} ${type}`).join(', ')}): ${kinds}`;
}

/** So many names are shown at once; the rest open on demand. */
const shownNames = 3;

function leftTable(left: readonly LeftFloat[]): Html {
  return table(
    left,
    [
      { title: 'Operator', kind: 'name', cell: ({ op }) => op },
      {
        title: 'Nodes',
        kind: 'number',
        cell: ({ nodes }) => formatCount(nodes.length),
        sort: ({ nodes }) => nodes.length,
      },
      { title: 'Why', cell: ({ text, reason }) => html`${text} <span class="lead">(${reason})</span>` },
      { title: 'Which', kind: 'name', cell: ({ nodes }) => namesCell(nodes) },
    ],
    { caption: 'Left in float', sortable: true },
  );
}

function namesCell(names: readonly string[]): Part {
  const first = names.slice(0, shownNames).join(', ');
  const rest = names.slice(shownNames);
  return rest.length === 0
    ? first
    : html`${first}<details><summary>${counted(rest.length, 'more', 'more')}</summary>${rest.join(', ')}</details>`;
}

function nodeTable(entries: readonly PlanEntry[]): Html {
  const rows = table(
    entries,
    [
      { title: 'Node', kind: 'name', cell: ({ id }) => id },
      { title: 'Operator', cell: ({ op }) => op },
      { title: 'Weight', cell: ({ weight }) => weight?.join('×') },
      { title: 'Decision', cell: ({ decision }) => decisionCell(decision) },
      { title: 'Kernel', cell: ({ decision }) => (decision.action === 'float' ? undefined : decision.capability) },
    ],
    { caption: 'The decision on every node', sortable: true },
  );
  return html`<details><summary>All ${counted(entries.length, 'node')} that the plan decides on</summary>${rows}</details>\n`;
}

const decisionCell = (decision: Decision): string =>
  decision.action === 'float' ? `float: ${decision.reason.text}` : wayOf(decision);
