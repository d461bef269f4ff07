import { OptimumError } from '@optimum/core';
import type { OpenCalibrationData } from '@optimum/core/node';
import type { Columns, DataOptions, DataSet } from '@optimum/data';

export interface DataFlags {
  readonly data?: string;
  readonly samples?: number;
  readonly seed?: number;
  readonly column?: readonly string[];
  readonly preprocessor?: string;
}

const defaultSamples = 100;
const defaultSeed = 1;
const fields = ['text', 'textPair', 'image', 'audio', 'label'] as const;

/** What `--data` and the flags beside it say. @throws E_USAGE */
export function dataOptions(model: string, source: string, flags: DataFlags, signal: AbortSignal): DataOptions {
  const { samples = defaultSamples, seed = defaultSeed, column = [], preprocessor } = flags;
  return { source, model, samples, seed, columns: parseColumns(column), preprocessor, signal };
}

/** Opens what `--data` names when a session asks for it; `undefined` without `--data`. @throws E_USAGE */
export function calibrationData(model: string, flags: DataFlags, signal: AbortSignal): OpenCalibrationData | undefined {
  if (flags.data === undefined) return undefined;
  const options = dataOptions(model, flags.data, flags, signal);
  let opened: Promise<DataSet> | undefined;
  return async (session) => {
    opened ??= import('@optimum/data').then(({ openData }) => openData(options));
    return (await opened).forSession(session);
  };
}

/** `--column text=review`: names of fields. @throws E_USAGE */
export function parseColumns(flags: readonly string[]): Columns {
  return Object.fromEntries(
    flags.map((flag) => {
      const [field, name] = flag.split(/=(.*)/s);
      if (name && (fields as readonly string[]).includes(field ?? '')) return [field, name];
      throw new OptimumError(
        'E_USAGE',
        `--column ${flag}: expected FIELD=NAME, with FIELD one of ${fields.join(', ')}.`,
      );
    }),
  );
}
