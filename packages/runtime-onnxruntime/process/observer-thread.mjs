// The observers work in a thread of their own: the runtime is in its next run meanwhile.
import { isMainThread, MessageChannel, parentPort, Worker } from 'node:worker_threads';
import { Observations } from './observations.mjs';

/** Observations in another thread. At most one run is on its way there, so memory does not grow. */
export class ObserverThread {
  #worker = new Worker(new URL(import.meta.url));
  #pending = new Map();
  #sequence = 0;
  #lastAdded = Promise.resolve();
  /** Why the thread is gone. */
  #end;

  constructor() {
    this.#worker.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#worker.on('error', (error) => {
      this.#end = error;
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
  }

  /** Hands over what a run showed. Whether that went well is told at the next call. */
  async add(run) {
    await this.#lastAdded;
    this.#lastAdded = this.#call('add', run, buffersOf(run));
    this.#lastAdded.catch(() => undefined);
  }

  async observations() {
    await this.#lastAdded;
    return this.#call('observations');
  }

  async sampledRows() {
    await this.#lastAdded;
    return this.#call('sampledRows');
  }

  #call(method, parameter, buffers = []) {
    if (this.#end) return Promise.reject(this.#end);
    const id = ++this.#sequence;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, parameter }, buffers);
    });
  }
}

/** The memory of the tensors that a run showed. */
const buffersOf = ({ seen }) => [...new Set(seen.flatMap(({ tensor }) => (tensor ? [tensor.data.buffer] : [])))];

/** Frees memory at once: what is sent to nobody is gone, where a collector would let it pile up. */
function freeing() {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return (buffers) => port1.postMessage(undefined, buffers);
}

if (!isMainThread) {
  const observations = new Observations();
  const free = freeing();
  parentPort.on('message', ({ id, method, parameter }) => {
    try {
      const result = observations[method](parameter);
      if (method === 'add') free(buffersOf(parameter));
      parentPort.postMessage({ id, result });
    } catch (error) {
      parentPort.postMessage({ id, error: String(error?.message ?? error) });
    }
  });
}
