import type { ModelSource, Runtime, Session, SessionOptions } from '../backend/index.ts';
import type { InstanceTimes, ServingConfiguration } from '../evaluate/index.ts';
import { throwIfAborted } from '../foundation/index.ts';
import type { Feeds } from '../pipeline/index.ts';

/** What sessions are made with, beside their configuration. */
export interface GroupContext {
  readonly runtime: Runtime;
  /** Folder whose packages provide the runtime. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of one instance. */
export function instanceOptions(
  { threads, cores, config, environment }: ServingConfiguration,
  instance: number,
  { from, signal }: GroupContext,
): SessionOptions {
  const own = cores?.[instance];
  return { threads, config, environment, ...(own && { cores: own }), ...(from && { from }), ...(signal && { signal }) };
}

/** The instances of one model, each in a fresh process of its own. */
export class ServingGroup {
  readonly #sessions: readonly Session[];

  private constructor(sessions: readonly Session[]) {
    this.#sessions = sessions;
  }

  /** Loads one instance after the other, so that each has the machine for it. @throws as `createSession` */
  static async open(model: ModelSource, configuration: ServingConfiguration, context: GroupContext) {
    const sessions: Session[] = [];
    try {
      for (let instance = 0; instance < configuration.instances; instance++) {
        throwIfAborted(context.signal);
        sessions.push(await context.runtime.createSession(model, instanceOptions(configuration, instance, context)));
      }
    } catch (error) {
      await closeAll(sessions);
      throw error;
    }
    return new ServingGroup(sessions);
  }

  /** Milliseconds that loading took, one instance. */
  get loadMs(): number {
    return this.#sessions.reduce((sum, { loadMs }) => sum + loadMs, 0) / this.#sessions.length;
  }

  /** Runs on all instances at the same time. @param now the clock that they share */
  time(feeds: Feeds, repetitions: number, now: () => number): Promise<InstanceTimes[]> {
    return Promise.all(
      this.#sessions.map(async (session) => {
        const latenciesMs = await session.time(feeds, repetitions);
        return { endMs: now(), latenciesMs };
      }),
    );
  }

  async residentBytes(): Promise<number> {
    const bytes = await Promise.all(this.#sessions.map((session) => session.residentBytes()));
    return bytes.reduce((sum, one) => sum + one, 0);
  }

  close = (): Promise<void> => closeAll(this.#sessions);
}

async function closeAll(sessions: readonly Session[]): Promise<void> {
  await Promise.allSettled(sessions.map((session) => session.close()));
}
