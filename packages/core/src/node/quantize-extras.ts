import { basename, join } from 'node:path';
import { chunkByteLength } from '../ir/index.ts';
import type { SessionReport } from '../pipeline/index.ts';
import { FileSink } from './file-sink.ts';
import { FileSource } from './file-source.ts';
import type { ModelInput } from './model-folder.ts';
import { readConfig, withTransformersJsConfig } from './model-folder-config.ts';
import { externalFiles, realPathOf } from './quantize-guard.ts';
import type { StagedOutput } from './staged-output.ts';

/** What goes into an output folder beside the models. */
export interface FolderExtras {
  readonly root: string;
  /** Relative paths of files that go along unchanged. */
  readonly companions: readonly string[];
  readonly config: Readonly<Record<string, unknown>> | undefined;
}

const ownFiles = new Set(['config.json', 'optimum_report.json']);

/** Reads what has to be right in a folder before any work is done. @throws E_CONFIG_SYNTAX, E_IO */
export function folderExtras(input: Extract<ModelInput, { kind: 'folder' }>): FolderExtras {
  const config = readConfig(input.path);
  // External data may have any name; only the models say which files it is in.
  const data = new Set(input.sessions.flatMap((session) => externalFiles(session.input)));
  const companions = input.companions.filter(
    (file) => !ownFiles.has(file) && !data.has(realPathOf(join(input.path, file))),
  );
  return { root: input.path, companions, config };
}

/** Puts the companions, the configuration for transformers.js and a short report into the staging folder. */
export function stageExtras(
  { root, companions, config }: FolderExtras,
  staged: StagedOutput,
  written: readonly string[],
  reports: readonly SessionReport[],
): void {
  for (const file of companions) {
    staged.makeFolderOf(file);
    copyFile(join(root, file), join(staged.folder, file));
  }
  const external = written.filter((file) => file.endsWith('.onnx_data')).map((file) => basename(file, '_data'));
  if (config) writeJson(join(staged.folder, 'config.json'), withTransformersJsConfig(config, external));
  const sessions = reports.map(({ name, output, status, bytes, operators }) => ({
    name,
    file: basename(output),
    status,
    bytes,
    operators,
  }));
  writeJson(join(staged.folder, 'optimum_report.json'), { sessions });
}

/** A durable copy; the source may be a link into a cache. @throws E_IO, E_NO_SPACE, E_PATH_SPECIAL */
export function copyFile(from: string, to: string): void {
  const source = new FileSource(from);
  try {
    writeAll(to, source.byteLength, function* () {
      const buffer = new Uint8Array(Math.min(chunkByteLength, source.byteLength));
      for (let done = 0; done < source.byteLength; done += buffer.byteLength) {
        const piece = buffer.subarray(0, Math.min(buffer.byteLength, source.byteLength - done));
        source.readInto(piece, done);
        yield piece;
      }
    });
  } finally {
    source.close();
  }
}

/** @throws E_IO, E_NO_SPACE, E_PATH_SPECIAL */
export function writeJson(path: string, value: unknown): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  writeAll(path, bytes.byteLength, () => [bytes]);
}

function writeAll(path: string, byteLength: number, pieces: () => Iterable<Uint8Array>): void {
  const sink = new FileSink(path, byteLength);
  try {
    let position = 0;
    for (const piece of pieces()) {
      sink.writeAt(piece, position);
      position += piece.byteLength;
    }
    sink.finish();
  } finally {
    sink.close();
  }
}
