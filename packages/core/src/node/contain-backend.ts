import { AsyncLocalStorage } from 'node:async_hooks';
import { runInNewContext } from 'node:vm';

/** Most of what one backend prints that is passed on, in characters. */
const printedLimit = 4096;

/** A backend whose code runs, be it from a timer that it has set. */
interface Contained {
  readonly name: string;
  printable: number;
  /** This program waits for it: what it breaks now is its error. */
  isRunning: boolean;
}

const running = new AsyncLocalStorage<Contained>();

/** How code of a backend is loaded: what can be done on this stack, and then the rest. */
export interface Loading<T> {
  readonly atOnce: () => void;
  readonly later: () => Promise<T>;
}

/**
 * Loads a backend so that it does no harm by being loaded: an endless loop, an `await` that never ends, `process.exit` and
 * errors that nobody catches are errors of this call. What the backend prints, now or later, goes to standard error and
 * is cut after 4 KiB, because standard output is for the result.
 */
export async function containLoading<T>(name: string, timeLimitMs: number, loading: Loading<T>): Promise<T> {
  guardProcess();
  const contained: Contained = { name, printable: printedLimit, isRunning: true };
  let stopWaiting: () => void = () => undefined;
  const trouble = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(tooSlow(timeLimitMs))), timeLimitMs);
    const isFree = !process.hasUncaughtExceptionCaptureCallback();
    if (isFree) process.setUncaughtExceptionCaptureCallback(reject);
    stopWaiting = () => {
      clearTimeout(timer);
      if (isFree) process.setUncaughtExceptionCaptureCallback(null);
    };
  });
  try {
    const loaded = running.run(contained, () => {
      withTimeLimit(timeLimitMs, loading.atOnce);
      return loading.later();
    });
    return await Promise.race([loaded, trouble]);
  } finally {
    contained.isRunning = false;
    stopWaiting();
  }
}

/** Runs a function of a backend: bounded in time, and what it prints goes where it went while it was loaded. */
export function containCall<T>(name: string, timeLimitMs: number, call: () => T): T {
  guardProcess();
  const contained: Contained = { name, printable: printedLimit, isRunning: true };
  try {
    return running.run(contained, () => withTimeLimit(timeLimitMs, call));
  } finally {
    contained.isRunning = false;
  }
}

const tooSlow = (timeLimitMs: number): string => `it did not end within ${timeLimitMs / 1000} s`;

/** The only thing in Node that ends a loop on this thread is the time limit of a script: so one calls the function. */
function withTimeLimit<T>(timeLimitMs: number, call: () => T): T {
  let result: { readonly value: T } | undefined;
  const run = (): void => {
    result = { value: call() };
  };
  try {
    runInNewContext('run()', { run }, { timeout: timeLimitMs, displayErrors: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Error(tooSlow(timeLimitMs), { cause: error });
  }
  return (result as { readonly value: T }).value;
}

let isGuarded = false;

/** From the first backend on, what backends print is told apart from what the program prints. The rest is untouched. */
function guardProcess(): void {
  if (isGuarded) return;
  isGuarded = true;
  const toStandardError = process.stderr.write.bind(process.stderr);
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...parameters: unknown[]) => boolean;
    const guarded = (chunk: unknown, ...rest: unknown[]): boolean => {
      const contained = running.getStore();
      if (!contained) return write(chunk, ...rest);
      const shown = takePrintable(contained, chunk);
      if (shown !== '') toStandardError(shown);
      const written = rest.find((one) => typeof one === 'function');
      if (written) process.nextTick(written as () => void);
      return true;
    };
    stream.write = guarded as typeof stream.write;
  }
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    if (running.getStore()?.isRunning) throw new Error('it calls process.exit');
    return exit(code);
  };
}

/** As much of a chunk as the backend may still print. */
function takePrintable(contained: Contained, chunk: unknown): string {
  if (contained.printable <= 0) return '';
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString();
  const shown = text.slice(0, contained.printable);
  contained.printable -= text.length;
  return contained.printable > 0 ? shown : `${shown}\n(backend ${contained.name} prints more; the rest is left out)\n`;
}
