import { basename, join } from 'node:path';
import type { RetargetSessionReport } from '../pipeline/index.ts';
import { copyFile, type FolderExtras, writeJson } from './quantize-extras.ts';
import type { StagedOutput } from './staged-output.ts';

const configKey = 'transformers.js_config';
const externalKey = 'use_external_data_format';

/** Puts the companions, the configuration and a short report into the staging folder. */
export function stageRetargetExtras(
  { root, companions, config }: FolderExtras,
  staged: StagedOutput,
  written: readonly string[],
  reports: readonly RetargetSessionReport[],
): void {
  for (const file of companions) {
    staged.makeFolderOf(file);
    copyFile(join(root, file), join(staged.folder, file));
  }
  const external = written.filter((file) => file.endsWith('.onnx_data')).map((file) => basename(file, '_data'));
  const changed = config && withExternalData(config, external);
  if (changed) writeJson(join(staged.folder, 'config.json'), changed);
  else if (config) copyFile(join(root, 'config.json'), join(staged.folder, 'config.json'));
  const sessions = reports.map(({ name, output, status, bytes, actions }) => ({
    name,
    file: basename(output),
    status,
    bytes,
    actions: actions.map(({ rewrite, op, nodes }) => ({ rewrite, op, nodes: nodes.length })),
  }));
  writeJson(join(staged.folder, 'optimum_report.json'), { sessions });
}

type Config = Readonly<Record<string, unknown>>;

/**
 * The configuration with the files of external data as they are now, for transformers.js, which looks for every file that
 * is announced. `undefined` where nothing is to be changed.
 */
export function withExternalData(config: Config, models: readonly string[]): Config | undefined {
  const before = config[configKey];
  const kept = typeof before === 'object' && before !== null ? (before as Config) : {};
  if (!(externalKey in kept) && models.length === 0) return undefined;
  const { [externalKey]: _, ...rest } = kept;
  const announced = models.length > 0 && { [externalKey]: Object.fromEntries(models.map((model) => [model, 1])) };
  return { ...config, [configKey]: { ...rest, ...announced } };
}
