import { type Command, CommanderError } from 'commander';

/** What several commands take. */

export const collect = (value: string, before: readonly string[]): string[] => [...before, value];

export const wholeNumber =
  (option: string) =>
  (value: string): number => {
    const number = Number(value);
    if (Number.isInteger(number) && number > 0) return number;
    throw new CommanderError(2, 'optimum.number', `error: ${option}: expected a whole number above 0, got "${value}"`);
  };

/** Where samples come from, and which of them. */
export function addDataOptions(command: Command, what: string): void {
  command
    .option('--data <path>', what)
    .option('--samples <n>', 'at most so many samples, chosen by the seed (default: 100)', wholeNumber('--samples'))
    .option('--seed <n>', 'which samples are chosen (default: 1)', wholeNumber('--seed'))
    .option('--column <field=name>', 'name of a field: text, textPair, image, audio (repeatable)', collect, [])
    .option('--preprocessor <file>', 'preprocessor_config.json for a model that has none beside it');
}
