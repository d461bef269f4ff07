import { readFileSync } from 'node:fs';
import { mergeStatistics, parseStatistics, type Statistics } from '../observe/index.ts';
import { publishStatistics } from './calibrate-partial.ts';
import { fileError } from './file-error.ts';
import { StagedOutput } from './staged-output.ts';

/** Reads a statistics file. @throws E_IO, E_STATISTICS_INVALID naming the file */
export function readStatistics(path: string): Statistics {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path, 'read');
  }
  return parseStatistics(text, path);
}

/**
 * Adds statistics files up: runs over different samples, on this machine or others, as one run over all of them.
 * @throws E_STATISTICS_INVALID, E_STATISTICS_MISMATCH when they are of different models or count a sample twice,
 * E_OUTPUT_EXISTS without force, E_IO
 */
export function mergeStatisticsFiles(
  paths: readonly string[],
  output: string,
  options: { readonly force?: boolean | undefined } = {},
): Statistics {
  const staged = new StagedOutput(output, options);
  try {
    const merged = mergeStatistics(paths.map(readStatistics));
    publishStatistics(staged, merged);
    return merged;
  } finally {
    staged.discard();
  }
}
