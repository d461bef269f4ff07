import { type Command, InvalidArgumentError } from 'commander';

/** What several commands take. */

export const collect = (value: string, before: readonly string[]): string[] => [...before, value];

/** The number of an option; commander says of which option it is. */
export function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** Where samples come from, and which of them. */
export function addDataOptions(command: Command, what: string): void {
  command
    .option('--data <path>', what)
    .option('--samples <n>', 'at most so many samples, chosen by the seed (default: 100)', wholeNumber)
    .option('--seed <n>', 'which samples are chosen (default: 1)', wholeNumber)
    .option('--column <field=name>', 'name of a field: text, textPair, image, audio (repeatable)', collect, [])
    .option('--preprocessor <file>', 'preprocessor_config.json for a model that has none beside it');
}
