import { Command, CommanderError, Option } from 'commander';
import { reportFailure } from './failure.ts';
import { endWhenNobodyReads, interruptedCode } from './interrupt.ts';

declare const __VERSION__: string;

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

const wholeNumber =
  (option: string) =>
  (value: string): number => {
    const number = Number(value);
    if (Number.isInteger(number) && number > 0) return number;
    throw new CommanderError(2, 'optimum.number', `error: ${option}: expected a whole number above 0, got "${value}"`);
  };

/** The commands; what they do is loaded when one is chosen, so that help is there at once. */
function program(): Command {
  const root = new Command('optimum')
    .description('Quantize Transformer models for the CPU that runs them, and prove the result on its runtime.')
    .version(__VERSION__)
    .showHelpAfterError('(optimum --help lists commands and options)')
    .exitOverride();
  quantizeCommand(root);
  root
    .command('inspect <model>')
    .description('show what is in a model, and what this CPU could do with it')
    .option('--json', 'print one JSON document')
    .action(async (model, options) => (await import('./inspect.ts')).inspectCommand(model, options));
  root
    .command('backends')
    .description('list installed backends and their targets, and which match this machine')
    .option('--json', 'print one JSON document')
    .action(async (options) => (await import('./backends.ts')).backendsCommand(options));
  root
    .command('doctor')
    .description('check CPU, runtime and installation, and say what fixes what is missing')
    .option('--json', 'print one JSON document')
    .action(async (options) => (await import('./doctor.ts')).doctorCommand(options));
  return root;
}

function quantizeCommand(root: Command): void {
  root
    .command('quantize <model>')
    .description('make a smaller, faster int8 model of a model folder or an .onnx file, checked on ONNX Runtime')
    .option('-o, --output <path>', 'where the result goes (default: beside the input)')
    .option('--force', 'replace what exists')
    .option('--target <name>', 'make it for another CPU than this one; "portable" is right and fast everywhere')
    .option('--recipe <name>', 'latency (default), compatible, compatible-per-channel')
    .option('--backend <id>', 'use this backend')
    .option(
      '--exclude <selector>',
      'leave nodes in float: op type, name glob, or re:expression (repeatable)',
      collect,
      [],
    )
    .option('--plan <file>', 'follow a plan that --dry-run --json printed')
    .option('--data <file>', 'JSON lines of text or of named tensors to compare on')
    .addOption(
      new Option('--threads <n>', 'threads of the work (default: 2 for large models)').argParser(
        wholeNumber('--threads'),
      ),
    )
    .addOption(
      new Option('--timing-threads <n>', 'threads of the models that are timed (default: 1)').argParser(
        wholeNumber('--timing-threads'),
      ),
    )
    .option('--no-verify', 'leave out the proof on the runtime')
    .option('--no-timing', 'leave out the timing, not the proof')
    .option('--require-faster', 'exit with 25 when the result is not faster')
    .option('--dry-run', 'print the plan, write nothing')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      '\nExamples:\n  $ optimum quantize ./model\n  $ optimum quantize model.onnx --target portable --data samples.jsonl\n',
    )
    .action(async (model, options) => (await import('./quantize.ts')).quantizeCommand(model, options));
}

const isJson = (): boolean => process.argv.includes('--json');

/** What a usage error that commander has told already is to a program that reads JSON. */
function reportUsage({ message }: CommanderError): void {
  const error = { code: 'E_USAGE', message: message.replace(/^error: /, ''), context: {} };
  process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
}

endWhenNobodyReads();
// Whatever happens outside of the commands ends with our code, too.
process.on('uncaughtException', (error) => process.exit(reportFailure(error, isJson())));
try {
  const command = program();
  for (const sub of [command, ...command.commands]) sub.exitOverride();
  await command.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    if (process.exitCode !== 0 && isJson()) reportUsage(error);
  } else {
    const code = reportFailure(error, isJson());
    process.exitCode = code === 130 ? (interruptedCode() ?? code) : code;
  }
}
