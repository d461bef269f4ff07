import { countOperators, formatBytes, groupFloat, OptimumError } from '@optimum/core';
import { inspectModel, type ModelFacts, planModel, resolveModelInput } from '@optimum/core/node';
import { colours } from './colours.ts';
import { programFolder } from './quantize.ts';
import { table } from './table.ts';

/** `optimum inspect`: every session of a folder, or one file. */
export async function inspectCommand(model: string, { json }: { readonly json?: boolean }): Promise<void> {
  const sessions = [];
  for (const { input } of resolveModelInput(model).sessions)
    sessions.push({ ...inspectModel(input), potential: await potential(input) });
  if (json) process.stdout.write(`${JSON.stringify({ sessions }, null, 2)}\n`);
  else for (const session of sessions) process.stdout.write(render(session));
}

interface Potential {
  readonly target: string;
  readonly rows: readonly string[];
}

/** What the detected CPU could do with the model. */
async function potential(path: string): Promise<Potential> {
  try {
    const { plan, target } = await planModel(path, { programFolder });
    const integer = Object.entries(countOperators(plan)).map(
      ([op, count]) => `${count.integer} of ${count.total} ${op} can be integer`,
    );
    const float = groupFloat(plan).map(({ op, nodes, text }) => `${nodes.length} ${op} stay float: ${text}`);
    return { target, rows: [...integer, ...float] };
  } catch (error) {
    if (!OptimumError.isInstance(error)) throw error;
    return { target: '', rows: [error.message] };
  }
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function render(facts: ModelFacts & { readonly potential: Potential }): string {
  const rows = [
    ['file', `${formatBytes(facts.byteLength)}, IR ${facts.irVersion}, ${facts.producer}`],
    ['opsets', facts.opsets.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', ')],
    [
      'graph',
      `${plural(facts.nodes, 'node')} in ${plural(facts.graphs, 'graph')}, ${plural(facts.functions, 'function')}`,
    ],
    ...facts.inputs.map((input) => ['input', input]),
    ...facts.outputs.map((output) => ['output', output]),
    ['symbols', facts.symbols.join(', ') || 'none: every dimension is fixed'],
    ['operators', facts.operators.map(({ op, count }) => `${count} ${op}`).join(', ')],
    ...facts.weights.map(({ elementType, where, count, byteLength }) => [
      'weights',
      `${count} ${elementType} in ${where}: ${formatBytes(byteLength)}`,
    ]),
    ['quantized', facts.quantized.map(({ op, count }) => `${count} ${op}`).join(', ') || 'nothing yet'],
    ...facts.potential.rows.map((row) => [facts.potential.target || 'here', row]),
  ];
  return `${colours.bold(facts.path)}\n${table(rows)}\n\n`;
}
