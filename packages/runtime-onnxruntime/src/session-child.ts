import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { OptimumError } from '@optimum/core';
import { type LaunchOptions, launchOf } from './launch.ts';
import { residentBytes } from './memory-limit.ts';
import { closed, crashed, interrupted, notStarted, timedOut, tooLarge } from './session-errors.ts';

/** Lines of the child's standard error that are kept for messages. */
const keptLines = 6;
const pollMs = 100;
/** Time that an idle process has to leave by itself. */
const leaveMs = 2000;

export interface ChildLimits {
  /** What the child works on, for messages. */
  readonly model: string;
  readonly timeLimitMs: number;
  readonly memoryLimitBytes: number;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly kind?: 'library' | 'runtime';
}

/** What the child answers when a method throws; the caller knows which of our errors it stands for. */
export class ChildFault extends Error {
  readonly kind: 'library' | 'runtime';

  constructor(message: string, kind: 'library' | 'runtime') {
    super(message);
    this.kind = kind;
  }
}

/** Signals by which a person or the system ends a whole group of processes: no fault of the runtime. */
const endingSignals: readonly (NodeJS.Signals | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What Windows reports for a process that Ctrl-C ended. */
const windowsControlC = 0xc000013a;

/**
 * What a run leaves behind is let go of soon: by itself the engine lets its young generation grow by the number of runs,
 * and with it the tensors that hang on what is dead there.
 */
const heapFlags = ['--max-semi-space-size=1'];

const living = new Set<ChildProcess>();
let isWatched = false;

/** However this process ends, its children do not stay: they could be in the middle of a long run. */
function watch(child: ChildProcess): ChildProcess {
  living.add(child);
  if (!isWatched) process.on('exit', () => living.forEach((one) => one.kill('SIGKILL')));
  isWatched = true;
  return child;
}

/** A process that holds one session; calls are answered in order. It dies with its parent, on abort and at limits. */
export class SessionChild {
  readonly #child: ChildProcess;
  readonly #limits: ChildLimits;
  readonly #pending = new Map<number, Pending>();
  readonly #log: string[] = [];
  readonly #onAbort = (): void => this.#kill(interrupted());
  readonly #gone: Promise<void>;
  #poll: NodeJS.Timeout | undefined;
  #sequence = 0;
  #end: OptimumError | undefined;

  /** @throws E_BACKEND_CRASHED when no process can be started, E_USAGE when it cannot be started like this */
  constructor(limits: ChildLimits, launch: LaunchOptions = {}) {
    this.#limits = limits;
    this.#child = start(limits.model, launch);
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', async (code, signal) => {
        await lastWordsOf(this.#child);
        resolve(this.#ended(code, signal));
      });
      this.#child.on('error', (error) => {
        // Without a process there is nothing to close; with one, its end will tell.
        if (this.#child.pid !== undefined) return;
        this.#fail(notStarted(limits.model, error));
        resolve(this.#ended(null, null));
      });
    });
    this.#child.on('message', (message) => this.#answer(message as Answer));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => this.#note(String(chunk)));
    limits.signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#poll = setInterval(() => this.#checkMemory(), pollMs).unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws ChildFault when the method itself failed; OptimumError when the process did not survive it */
  call<T>(method: string, parameters: unknown): Promise<T> {
    if (this.#limits.signal?.aborted) this.#kill(interrupted());
    if (this.#end) return Promise.reject(this.#end);
    const id = ++this.#sequence;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.#checkTime(id, method), this.#limits.timeLimitMs);
      const settle =
        <A>(action: (value: A) => void) =>
        (value: A): void => {
          clearTimeout(timer);
          action(value);
        };
      this.#pending.set(id, { resolve: settle(resolve as (value: unknown) => void), reject: settle(reject) });
      // Should the channel be closed, the process has ended, and that is reported with what is known of it.
      this.#child.send({ id, method, parameters }, () => undefined);
    });
  }

  /** Ends the process: at once when it is in a call, whose caller gets E_INTERRUPTED. Harmless when it has ended. */
  async close(): Promise<void> {
    const isBusy = this.#pending.size > 0;
    this.#fail(closed(this.#limits.model));
    if (isBusy) this.#child.kill('SIGKILL');
    else if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), leaveMs);
    await this.#gone;
    clearTimeout(timer);
  }

  #answer({ id, result, error, kind }: Answer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new ChildFault(error, kind ?? 'runtime'));
  }

  #note(text: string): void {
    const lines = text.split('\n').map((line) => stripVTControlCharacters(line).trim());
    this.#log.push(...lines.filter((line) => line !== ''));
    this.#log.splice(0, this.#log.length - keptLines);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    living.delete(this.#child);
    clearInterval(this.#poll);
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
    const isInterrupted = endingSignals.includes(signal) || code === windowsControlC;
    const how = signal ? `it was ended by ${signal}` : `it left with code ${code}`;
    this.#fail(isInterrupted ? interrupted() : crashed(this.#limits.model, how, this.#log));
  }

  #kill(reason: OptimumError): void {
    this.#fail(reason);
    this.#child.kill('SIGKILL');
  }

  /** The first reason counts. */
  #fail(error: OptimumError): void {
    this.#end ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#end);
    this.#pending.clear();
  }

  /** Answers that came while this process was stopped or busy are read first. */
  #checkTime(id: number, method: string): void {
    setImmediate(() => {
      const { model, timeLimitMs } = this.#limits;
      if (this.#pending.has(id)) this.#kill(timedOut(model, method, timeLimitMs));
    });
  }

  #checkMemory(): void {
    const { model, memoryLimitBytes } = this.#limits;
    const resident = residentBytes(this.#child.pid);
    if (resident !== undefined && resident > memoryLimitBytes) this.#kill(tooLarge(model, resident, memoryLimitBytes));
  }
}

/** Waits until all that an ended process said is read. Its own `close` event does not come after a disconnect. */
async function lastWordsOf({ stdout, stderr }: ChildProcess): Promise<void> {
  const open = [stdout, stderr].filter((stream) => stream && !stream.closed);
  await Promise.all(open.map((stream) => new Promise<void>((resolve) => stream?.once('close', resolve))));
}

function start(model: string, options: LaunchOptions): ChildProcess {
  const { execPath, execArgv, env } = launchOf(options);
  try {
    const program = fileURLToPath(new URL('../process/session-process.mjs', import.meta.url));
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc'];
    const flags = [...execArgv, ...heapFlags];
    return watch(fork(program, [], { serialization: 'advanced', stdio, execPath, execArgv: flags, env }));
  } catch (error) {
    throw notStarted(model, error as Error);
  }
}
