import { type Explanation, explainNode } from '@optimum/core/node';
import { colours } from './colours.ts';
import { programFolder } from './quantize.ts';
import { timeText } from './render-probe.ts';
import { table } from './table.ts';

export interface ExplainFlags {
  readonly node: string;
  readonly target?: string;
  readonly recipe?: string;
  readonly backend?: string;
  readonly batch?: number;
  readonly sequence?: number;
  readonly json?: boolean;
}

/** `optimum explain`: why a node is integer or float on a target. */
export async function explainCommand(model: string, { json, ...flags }: ExplainFlags): Promise<void> {
  const explanation = await explainNode({ ...flags, input: model, programFolder });
  process.stdout.write(json ? `${JSON.stringify(explanation, null, 2)}\n` : render(explanation));
}

function render(explanation: Explanation): string {
  const { op, node, target, recipe, inputs, output, claims, times, notes } = explanation;
  const shapes = [...inputs.map(dimsText), '→', dimsText(output)].join(' ');
  const rows = [
    ['operator', op],
    ['shapes', shapes],
    ['target', `${target}, recipe ${recipe}`],
    ['decision', decisionText(explanation)],
    ...notes.map((note) => [colours.yellow('note'), note]),
  ];
  const sections = [
    ...(times.length > 0 ? [`\n${colours.bold('Time here, one thread')}\n${table(timeRows(explanation))}\n`] : []),
    ...(claims.length > 0
      ? [
          `\n${colours.bold('Kernels that were considered')}\n${table(claims.map(({ id, verdict, speed, why }) => [verdict, id, `${speed}×`, why]))}\n`,
        ]
      : []),
  ];
  return `${colours.bold(node)}\n${table(rows)}\n${sections.join('')}`;
}

const dimsText = (dims: readonly number[] | null): string => (dims ? `[${dims.join(', ')}]` : '?');

function decisionText({ decision, recipe, op }: Explanation): string {
  if (!decision) return `float: recipe ${recipe} does not look at ${op} here`;
  if (decision.action === 'float') return `float (${decision.reason.code}): ${decision.reason.text}`;
  const stored = 'weight' in decision ? decision.weight : 'table' in decision ? decision.table : undefined;
  const how = stored ? `, weights ${stored.elementType} by ${stored.granularity}` : '';
  return `integer (${decision.action}) as ${decision.capability}${how}`;
}

/** The float form is what the others are put beside. */
function timeRows({ times }: Explanation): string[][] {
  const float = times[0]?.microseconds ?? Number.NaN;
  return times.map(({ form, microseconds }) => [
    form,
    timeText(microseconds),
    `${(float / microseconds).toFixed(2)}× of float32`,
  ]);
}
