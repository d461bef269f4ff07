import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSettings } from '../files/read-json.ts';

type Settings = Readonly<Record<string, unknown>>;

/** What stands beside a model. */
export interface ModelFiles {
  readonly folder: string;
  /** `config.json`; empty when there is none. */
  readonly config: Settings;
  /** A file that the user names in place of the folder's `preprocessor_config.json`. */
  readonly preprocessor: string | undefined;
}

/** The folder of a model, or of an `.onnx` file. @throws E_CONFIG_SYNTAX for a broken config.json, E_IO */
export function openModelFiles(model: string, preprocessor?: string): ModelFiles {
  const folder = statSync(model, { throwIfNoEntry: false })?.isDirectory() ? model : dirname(model);
  return { folder, config: readSettings(join(folder, 'config.json')), preprocessor };
}

/** A whole number above 0 in `config.json`, at the top or in the part for text; the first name that has one counts. */
export function sizeIn({ config }: ModelFiles, ...names: readonly string[]): number | undefined {
  const text = config.text_config;
  const places = [config, typeof text === 'object' && text !== null ? (text as Settings) : {}];
  return places
    .flatMap((settings) => names.map((name) => settings[name]))
    .find((value): value is number => Number.isSafeInteger(value) && (value as number) > 0);
}
