import type { Command } from 'commander';
import { wholeNumber } from './options.ts';

/** `optimum probe` and `optimum explain`, which uses what it measured; the commands themselves are loaded when chosen. */
export function declareProbe(root: Command): void {
  root
    .command('probe')
    .description("measure this CPU's kernels once, and show what they do")
    .option('--force', 'measure again, whatever is kept')
    .option('--budget <seconds>', 'time that may be taken, loading not counted (default: 5)', wholeNumber)
    .option('--backend <id>', 'use this backend')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print nothing but errors')
    .action(async (options) => (await import('./probe.ts')).probeCommand(options));
  root
    .command('explain <model>')
    .description('say why a node is integer or float on a target, and what it takes in each form')
    .requiredOption('--node <name>', 'id of the node, as plans have it')
    .option('--target <name>', 'the CPU that the model is for')
    .option('--recipe <name>', 'the recipe that decides (default: latency)')
    .option('--backend <id>', 'use this backend')
    .option('--batch <n>', 'samples of a run (default: 1)', wholeNumber)
    .option('--sequence <n>', 'tokens of a sample (default: 128)', wholeNumber)
    .option('--json', 'print one JSON document')
    .action(async (model, options) => (await import('./explain.ts')).explainCommand(model, options));
}
