import { type Command, InvalidArgumentError } from 'commander';
import { collect, wholeNumber } from './options.ts';

/** `optimum benchmark` with its options; the command itself is loaded when it is chosen. */
export function declareBenchmark(root: Command): void {
  root
    .command('benchmark <models...>')
    .description('measure models beside each other: latency, throughput, memory, operators, energy and cost')
    .option('--batch <list>', 'sizes of the batch, as 1,8 (default: 1)', numberList)
    .option('--sequence <list>', 'numbers of tokens, as 16,128,512 (default: 128)', numberList)
    .option('--threads <n>', 'threads of each process (default: its cores, else 1)', wholeNumber)
    .option('--instances <n>', 'processes that work at the same time (default: 1)', wholeNumber)
    .option('--cores-per-instance <n>', 'bind each process to so many cores of its own (Linux)', wholeNumber)
    .option('--rounds <n>', 'rounds, each with fresh processes (default: 6)', wholeNumber)
    .option('--duration <seconds>', 'running time for each shape, all models together (default: 10)', positiveNumber)
    .option('--operators <n>', 'list so many operators by their time', wholeNumber)
    .option('--price-per-hour <price>', 'of this machine, for the cost of a million samples', positiveNumber)
    .option('--session <key=value>', 'session entry of the runtime (repeatable)', collect, [])
    .option('--environment <name=value>', 'environment of the processes (repeatable)', collect, [])
    .option('--search <objective>', 'find the best settings of the first model: latency or throughput', objective)
    .option('-o, --output <file>', 'write what the search found best, ready for use')
    .option('--force', 'replace what exists')
    .option('--seed <n>', 'which inputs are made up, and in which order models run (default: 1)', wholeNumber)
    .option('--backend <id>', 'use this backend')
    .option('--html <file>', 'write a report with charts')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      '\nThe first model is the one that the others are compared with; a folder stands for all of its ONNX files.\n\nExamples:\n  $ optimum benchmark model.onnx model_quantized.onnx --sequence 16,128\n  $ optimum benchmark ./model --instances 4 --cores-per-instance 2 --price-per-hour 0.34\n  $ optimum benchmark model.onnx --search throughput -o settings.json\n',
    )
    .action(async (models, options) => (await import('./benchmark.ts')).benchmarkCommand(models, options));
}

const numberList = (value: string): number[] => value.split(',').map(wholeNumber);

function positiveNumber(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function objective(value: string): string {
  if (value === 'latency' || value === 'throughput') return value;
  throw new InvalidArgumentError('Expected latency or throughput.');
}
