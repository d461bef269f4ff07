import type { Command } from 'commander';
import { addDataOptions, wholeNumber } from './options.ts';

/** `optimum calibrate` with its options; the command itself is loaded when it is chosen. */
export function declareCalibrate(root: Command): void {
  const command = root
    .command('calibrate [model]')
    .description('observe the activations of a model on data, and write statistics for optimum quantize --statistics')
    .requiredOption('-o, --output <file>', 'the statistics file')
    .option('--force', 'replace what exists')
    .option('--merge <files...>', 'add statistics files up, in place of running a model');
  addDataOptions(command, 'data to run: a file or a folder (default: made-up inputs)');
  command
    .option('--method <name>', 'what to observe for: min-max, moving-average, percentile, entropy, mse, mean-sigma')
    .option('--target <name>', 'the CPU that the model is for')
    .option('--recipe <name>', 'whose activations are observed (default: the first static recipe)')
    .option('--backend <id>', 'use this backend')
    .option('--threads <n>', 'threads of the runtime (default: 1)', wholeNumber)
    .option('--html <file>', 'write ranges and histograms as one self-contained page')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      '\nA run that was stopped goes on where it was when it is started again.\n\nExamples:\n  $ optimum calibrate ./model --data texts.jsonl -o statistics.json\n  $ optimum calibrate --merge monday.json tuesday.json -o both.json\n',
    )
    .action(async (model, options) => (await import('./calibrate.ts')).calibrateCommand(model, options));
}
