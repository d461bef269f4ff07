import type { Command } from 'commander';
import { Option } from 'commander';
import { addDataOptions, collect, wholeNumber } from './options.ts';

/** `optimum quantize` with its options; the command itself is loaded when it is chosen. */
export function declareQuantize(root: Command): void {
  const command = root
    .command('quantize <model>')
    .description('make a smaller, faster int8 model of a model folder or an .onnx file, checked on ONNX Runtime')
    .option('-o, --output <path>', 'where the result goes (default: beside the input)')
    .option('--force', 'replace what exists')
    .option('--target <name>', 'make it for another CPU than this one; "portable" is right and fast everywhere')
    .addOption(
      new Option('--mode <mode>', 'ranges while it runs, from calibration, or per operator what is fastest').choices([
        'dynamic',
        'static',
        'auto',
      ]),
    )
    .option('--recipe <name>', 'latency (default), compatible, compatible-per-channel, static, integer, auto')
    .option('--backend <id>', 'use this backend')
    .option(
      '--exclude <selector>',
      'leave nodes in float: op type, name glob, or re:expression (repeatable)',
      collect,
      [],
    )
    .option('--plan <file>', 'follow a plan that --dry-run --json printed')
    .option('--batch <n>', 'samples of a run that it is made for (default: 1)', wholeNumber)
    .option('--sequence <n>', 'tokens of a sample that it is made for (default: 128)', wholeNumber)
    .option('--threads <n>', 'threads of the work (default: 2 for large models)', wholeNumber)
    .option('--timing-threads <n>', 'threads of the models that are timed (default: 1)', wholeNumber);
  addDataOptions(command, 'data to compare on and to calibrate with: a file or a folder');
  addCalibrationOptions(command);
  command
    .option('--no-verify', 'leave out the proof on the runtime')
    .option('--no-timing', 'leave out the timing, not the proof')
    .option('--require-faster', 'exit with 25 when the result is not faster')
    .option('--dry-run', 'print the plan, write nothing')
    .option('--html <file>', 'write the report as one self-contained page')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      '\nExamples:\n  $ optimum quantize ./model\n  $ optimum quantize ./model --mode auto --data images/\n  $ optimum quantize model.onnx --target portable --data samples.jsonl\n',
    )
    .action(async (model, options) => (await import('./quantize.ts')).quantizeCommand(model, options));
}

function addCalibrationOptions(command: Command): void {
  command
    .option('--method <name>', 'how ranges are chosen: min-max, moving-average, percentile, entropy, mse, mean-sigma')
    .option('--statistics <file>', 'ranges from a file that optimum calibrate wrote')
    .addOption(new Option('--form <form>', 'how static integers are written').choices(['qdq', 'qoperator']))
    .option('--smooth-quant', 'move outliers from activations into weights')
    .option('--bias-correction', 'correct biases by the mean error of the weights')
    .option('--equalize', 'equalize the ranges of neighbouring layers')
    .option('--adaround', 'choose the rounding of weights by the error of the outputs');
}
