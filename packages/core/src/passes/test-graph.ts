import { expect } from 'vitest';
import { verify } from '../ir/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import type { Pass } from './canonicalise.ts';

/** What a pass makes of a graph in text form: how often it applied, and the lines of nodes and weights after it. */
export function applied(pass: Pass, graph: string, opset = 17): { readonly count: number; readonly lines: string } {
  const model = parseModel(`<ir_version: 8, opset_import: ["": ${opset}]> g ${graph}`);
  // Constants that all graphs of a test share: what a pass leaves unread is seen, what the graph never read is not.
  for (const value of [...model.graph.initializers]) if (value.uses.size === 0) model.graph.removeInitializer(value);
  const count = pass(model);
  expect(verify(model)).toEqual([]);
  const lines = printModel(model)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes(' = '))
    .map((line) => line.replace(/,$/, ''));
  return { count, lines: lines.join('\n') };
}
