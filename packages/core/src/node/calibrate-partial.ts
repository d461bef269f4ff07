import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { parseStatistics, type Statistics, statisticsPieces } from '../observe/index.ts';
import type { ProgressListener } from '../pipeline/index.ts';
import { FileSink, outputCalls, writing } from './file-sink.ts';
import type { StagedOutput } from './staged-output.ts';

const partialSuffix = '.partial';

/** What a run has found so far, beside its output, so that a killed run is not begun again. */
export class PartialStatistics {
  readonly #path: string;
  readonly #staged: StagedOutput;

  constructor(staged: StagedOutput) {
    this.#path = `${staged.target}${partialSuffix}`;
    this.#staged = staged;
  }

  /** What an earlier run left; nothing when that is no statistics file. */
  read(onEvent: ProgressListener | undefined): Statistics | undefined {
    if (!existsSync(this.#path)) return undefined;
    try {
      return parseStatistics(readFileSync(this.#path, 'utf8'), this.#path);
    } catch (error) {
      const why = OptimumError.isInstance(error) ? error.message : String(error);
      onEvent?.({ type: 'note', message: `an earlier run cannot be taken up: ${why}` });
      return undefined;
    }
  }

  /** Replaces what is there, whole or not at all. @throws E_IO, E_NO_SPACE */
  write(statistics: Statistics): void {
    const name = 'partial.json';
    stage(this.#staged, name, statistics);
    writing(this.#path, () => outputCalls.renameSync(join(this.#staged.folder, name), this.#path));
  }

  remove(): void {
    writing(this.#path, () => outputCalls.rmSync(this.#path, { force: true }));
  }
}

/** Puts a statistics file in its place, in one step. @throws E_OUTPUT_EXISTS, E_IO, E_NO_SPACE */
export function publishStatistics(staged: StagedOutput, statistics: Statistics): void {
  const name = basename(staged.target);
  stage(staged, name, statistics);
  staged.publishFiles([name]);
}

/** Writes statistics into a staging folder, a piece at a time: a save should leave little behind. @throws E_IO, E_NO_SPACE */
function stage(staged: StagedOutput, name: string, statistics: Statistics): void {
  const sink = new FileSink(join(staged.folder, name), 0);
  try {
    let position = 0;
    for (const piece of statisticsPieces(statistics)) {
      const bytes = new TextEncoder().encode(piece);
      sink.writeAt(bytes, position);
      position += bytes.byteLength;
    }
    sink.finish();
  } finally {
    sink.close();
  }
}
