import { constants } from 'node:os';

/** Signals that ask to stop. By convention the exit code is 128 and the signal's number. */
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type EndingSignal = (typeof endingSignals)[number];

let received: EndingSignal | undefined;

/** Exit code of a run that was told to stop, or `undefined`. */
export const interruptedCode = (): number | undefined => received && codeOf(received);

const codeOf = (signal: EndingSignal): number => 128 + constants.signals[signal];

/**
 * Aborts at the first Ctrl-C, so that the work is ended in order; at the second one the program ends at once. What is
 * staged and what runs is removed at the exit of the process, whichever way it comes.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of endingSignals) {
    process.on(signal, () => {
      if (received === undefined) {
        received = signal;
        controller.abort();
        return;
      }
      process.exit(codeOf(signal));
    });
  }
  return controller.signal;
}

/** A reader that has seen enough (`| head`) is no error: the program ends quietly. */
export function endWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }
}
