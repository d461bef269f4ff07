import { AsyncResource } from 'node:async_hooks';
import { Command, CommanderError } from 'commander';
import { declareBenchmark } from './benchmark-options.ts';
import { declareCalibrate } from './calibrate-options.ts';
import { reportFailure } from './failure.ts';
import { endWhenNobodyReads, interruptedCode } from './interrupt.ts';
import { declareProbe } from './probe-options.ts';
import { declareQuantize } from './quantize-options.ts';
import { declareRetarget } from './retarget-options.ts';

declare const __VERSION__: string;

/** The commands; what they do is loaded when one is chosen, so that help is there at once. */
function program(): Command {
  const root = new Command('optimum')
    .description('Quantize Transformer models for the CPU that runs them, and prove the result on its runtime.')
    .version(__VERSION__)
    .showHelpAfterError('(optimum --help lists commands and options)')
    .exitOverride();
  declareQuantize(root);
  declareRetarget(root);
  declareCalibrate(root);
  declareProbe(root);
  declareBenchmark(root);
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

const isJson = (): boolean => process.argv.includes('--json');

/** What a usage error that commander has told already is to a program that reads JSON. */
function reportUsage({ message }: CommanderError): void {
  const error = { code: 'E_USAGE', message: message.replace(/^error: /, ''), context: {} };
  process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
}

endWhenNobodyReads();
// Whatever happens outside of the commands ends with our code, too. Bound to here, so that the report of what a backend
// threw late is not taken for something that the backend prints.
const endWith = AsyncResource.bind((error: unknown) => process.exit(reportFailure(error, isJson())));
process.on('uncaughtException', (error) => endWith(error));
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
    // A signal to the whole group may stop the runtime before this process has heard of it.
    if (code === 130 && interruptedCode() === undefined) await new Promise((heard) => setTimeout(heard, 100));
    process.exitCode = code === 130 ? (interruptedCode() ?? code) : code;
  }
}
// What a backend left running (a timer, a socket) must not hold a program that has done its work.
setTimeout(() => process.stdout.write('', () => process.exit()), 2000).unref();
