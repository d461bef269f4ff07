import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

type Config = Readonly<Record<string, unknown>>;

/** Larger ones are no configuration; the largest published ones have some 200 kB of labels. */
const longestConfig = 10e6;

/**
 * The `config.json` of a model folder, or `undefined` when it has none.
 * @throws E_CONFIG_SYNTAX when it is no JSON object, E_CONFIG_LIMIT, E_IO
 */
export function readConfig(folder: string): Config | undefined {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path, 'read');
  }
  if (text.length > longestConfig)
    throw new OptimumError(
      'E_CONFIG_LIMIT',
      `${path} has ${text.length} characters, at most ${longestConfig} are read.`,
    );
  return parseConfig(text, path);
}

function parseConfig(text: string, path: string): Config {
  const hint = 'Download config.json again: transformers.js needs it.';
  let config: unknown;
  try {
    // A byte order mark is no JSON, but editors write it.
    config = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new OptimumError('E_CONFIG_SYNTAX', `${path} is not JSON: ${(error as Error).message}.`, {
      hint,
      cause: error,
      context: { path },
    });
  }
  if (isObject(config)) return config;
  const found = Array.isArray(config) ? 'a list' : JSON.stringify(config).slice(0, 40);
  throw new OptimumError('E_CONFIG_SYNTAX', `${path} is no JSON object, but ${found}.`, { hint, context: { path } });
}

const isObject = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The configuration with `transformers.js_config` saying that the folder holds 8-bit models, so that transformers.js
 * loads them without being told. External data is announced where there is some, and only there: the library looks
 * for every file that is announced.
 * @param models names of the ONNX files that have external data
 */
export function withTransformersJsConfig(config: Config, models: readonly string[]): Config {
  const key = 'transformers.js_config';
  const { use_external_data_format: _, device_config, ...kept } = isObject(config[key]) ? config[key] : {};
  return {
    ...config,
    [key]: {
      ...kept,
      ...(isObject(device_config) && { device_config: withoutFileChoice(device_config) }),
      dtype: 'q8',
      ...(models.length > 0 && {
        use_external_data_format: Object.fromEntries(models.map((model) => [basename(model), 1])),
      }),
    },
  };
}

/** What is said per device wins over the rest, so it must not name files that are not in this folder. */
const withoutFileChoice = (devices: Config): Config =>
  Object.fromEntries(
    Object.entries(devices).map(([device, config]) => {
      if (!isObject(config)) return [device, config];
      const { dtype: _, use_external_data_format: __, ...kept } = config;
      return [device, kept];
    }),
  );
