import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { OptimumError } from '@optimum/core';

/** Lines of the child's standard error that are kept for messages. */
const keptLines = 6;
const pollMs = 100;
const pageByteLength = 4096;

export interface ChildLimits {
  /** What the child works on, for messages. */
  readonly model: string;
  readonly timeLimitMs: number;
  readonly memoryLimitBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: OptimumError) => void;
}

/** What the child answers when a method throws; the caller knows which of our errors it stands for. */
export class ChildFault extends Error {}

/** A process that holds one session; calls are answered in order. It dies with its parent, on abort and at limits. */
export class SessionChild {
  readonly #child: ChildProcess;
  readonly #limits: ChildLimits;
  readonly #pending = new Map<number, Pending>();
  readonly #log: string[] = [];
  readonly #onAbort = (): void => this.#kill(interrupted());
  #poll: NodeJS.Timeout | undefined;
  #sequence = 0;
  #end: OptimumError | undefined;

  constructor(limits: ChildLimits) {
    this.#limits = limits;
    this.#child = fork(fileURLToPath(new URL('../process/session-process.mjs', import.meta.url)), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', NODE_OPTIONS: '' },
    });
    this.#child.on('message', (message) => this.#answer(message as { id: number; result?: unknown; error?: string }));
    this.#child.on('exit', (code, signal) => this.#ended(code, signal));
    this.#child.on('error', (error) => this.#fail(crashed(this.#limits.model, error.message, this.#log)));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => this.#note(String(chunk)));
    limits.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (limits.memoryLimitBytes !== undefined) this.#poll = setInterval(() => this.#checkMemory(), pollMs).unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws ChildFault when the method itself failed; OptimumError when the process did not survive it */
  call<T>(method: string, parameters: unknown): Promise<T> {
    if (this.#end) return Promise.reject(this.#end);
    if (this.#limits.signal?.aborted) {
      this.#kill(interrupted());
      return Promise.reject(interrupted());
    }
    const id = ++this.#sequence;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.#kill(timedOut(this.#limits, method)), this.#limits.timeLimitMs);
      const settle =
        <A>(action: (value: A) => void) =>
        (value: A): void => {
          clearTimeout(timer);
          action(value);
        };
      this.#pending.set(id, { resolve: settle(resolve as (value: unknown) => void), reject: settle(reject) });
      this.#child.send({ id, method, parameters });
    });
  }

  /** Ends the process after the call that it may be in. */
  async close(): Promise<void> {
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
    clearInterval(this.#poll);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#end ??= new OptimumError('E_INTERNAL', 'The session was closed.');
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await exited;
    clearTimeout(timer);
  }

  #answer({ id, result, error }: { id: number; result?: unknown; error?: string }): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new ChildFault(error) as OptimumError & ChildFault);
  }

  #note(text: string): void {
    const lines = text.split('\n').map((line) => stripVTControlCharacters(line).trim());
    this.#log.push(...lines.filter((line) => line !== ''));
    this.#log.splice(0, this.#log.length - keptLines);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.#poll);
    this.#fail(
      this.#end ??
        crashed(this.#limits.model, signal ? `it was ended by ${signal}` : `it left with code ${code}`, this.#log),
    );
  }

  #kill(reason: OptimumError): void {
    this.#fail(reason);
    this.#child.kill('SIGKILL');
  }

  #fail(error: OptimumError): void {
    this.#end ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  #checkMemory(): void {
    const limit = this.#limits.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
    const resident = residentBytes(this.#child.pid);
    if (resident !== undefined && resident > limit) this.#kill(tooLarge(this.#limits.model, resident, limit));
  }
}

/** Resident bytes of a process on Linux; elsewhere the operating system's own limits have to do. */
function residentBytes(pid: number | undefined): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageByteLength;
  } catch {
    return undefined;
  }
}

const interrupted = (): OptimumError => new OptimumError('E_INTERRUPTED', 'Interrupted; the runtime was stopped.');

const crashed = (model: string, how: string, log: readonly string[]): OptimumError =>
  new OptimumError(
    'E_BACKEND_CRASHED',
    `ONNX Runtime crashed on ${model}: ${how}${log.length > 0 ? `; last words: ${log.join(' | ')}` : ''}.`,
    {
      context: { model, how, log: [...log] },
      hint: 'The crash was contained. Another version of onnxruntime-node may do better (npm install onnxruntime-node@1.30.0).',
    },
  );

const timedOut = ({ model, timeLimitMs }: ChildLimits, method: string): OptimumError =>
  new OptimumError(
    'E_BACKEND_TIMEOUT',
    `ONNX Runtime did not finish "${method}" on ${model} within ${timeLimitMs} ms and was stopped.`,
    {
      context: { model, method, timeLimitMs },
      hint: 'Give it more time, or check the model with optimum inspect.',
    },
  );

const tooLarge = (model: string, resident: number, limit: number): OptimumError =>
  new OptimumError(
    'E_LIMIT_MEMORY',
    `ONNX Runtime grew to ${resident} bytes on ${model}, past the limit of ${limit}, and was stopped.`,
    {
      context: { model, resident, limit },
    },
  );
