import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted } from '../foundation/index.ts';
import type { ModelInput } from './model-folder.ts';
import type { StagedOutput } from './staged-output.ts';

/**
 * Puts what was staged into its place: a folder as a whole, or the files that were written. Signals are only seen between
 * turns, so that this is the last moment at which an interruption leaves all as it was.
 * @throws E_INTERRUPTED, and what publishing throws
 */
export async function publish(
  staged: StagedOutput,
  kind: ModelInput['kind'],
  written: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await nextTurn();
  throwIfAborted(signal);
  if (kind === 'folder') staged.publishFolder();
  else staged.publishFiles(written);
}
