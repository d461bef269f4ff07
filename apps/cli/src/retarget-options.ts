import type { Command } from 'commander';
import { addDataOptions, wholeNumber } from './options.ts';

/** `optimum retarget` with its options; the command itself is loaded when it is chosen. */
export function declareRetarget(root: Command): void {
  const command = root
    .command('retarget <model>')
    .description('make a quantized model (a folder, or one .onnx file) fast and right on another CPU, and prove it')
    .option('-o, --output <path>', 'where the result goes (default: MODEL_retargeted.onnx, or FOLDER-retargeted)')
    .option('--force', 'replace what exists')
    .option('--target <name>', 'the CPU to make it for (default: this one); see optimum backends')
    .option('--backend <id>', 'use this backend');
  addDataOptions(command, 'data to compare on: a file or a folder (default: made-up inputs)');
  command
    .option('--timing-threads <n>', 'threads of the models that are timed (default: 1)', wholeNumber)
    .option('--no-verify', 'leave out the proof on the runtime')
    .option('--no-timing', 'leave out the timing, not the proof')
    .option('--dry-run', 'say what would be done, write nothing')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      '\nNo float weights are needed. Exits with 22 when nothing is gained.\n\nExamples:\n  $ optimum retarget model_quantized.onnx\n  $ optimum retarget ./published-int8 --target cascade-lake -o ./for-the-server\n',
    )
    .action(async (model, options) => (await import('./retarget.ts')).retargetCommand(model, options));
}
