import { fileURLToPath } from 'node:url';
import { type Backend, type CpuFacts, type Feature, featuresOf } from '@optimum/core';
import { type InstalledBackend, readBackend, readCpuFacts } from '@optimum/core/node';
import type { KitOptions } from './kit-options.ts';

/** A backend under test with everything that its cases look at. */
export interface KitContext {
  readonly backend: Backend;
  readonly options: KitOptions;
  /** As `optimum` would find it: read from the package's folder, or made up from the module where none was given. */
  readonly installed: InstalledBackend;
  readonly facts: CpuFacts;
  readonly features: readonly Feature[];
  readonly timeLimitMs: number;
}

export function contextOf(backend: Backend, options: KitOptions): KitContext {
  const facts = options.cpu ?? readCpuFacts();
  const { timeLimitMs = 60_000 } = options;
  return {
    backend,
    options,
    installed: installedOf(backend, options),
    facts,
    features: featuresOf(facts),
    timeLimitMs,
  };
}

function installedOf({ id, targets }: Backend, { folder }: KitOptions): InstalledBackend {
  const manifest = { id, spec: 1, entry: './index.js', targets: './targets.json' } as const;
  const madeUp = { id, package: `backend ${id}`, version: '0.0.0', folder: '', manifest, targets };
  if (folder === undefined) return madeUp;
  const path = typeof folder === 'string' ? folder : fileURLToPath(folder);
  const found = readBackend(path);
  return (
    found ?? { ...madeUp, folder: path, problem: 'its package.json has no "optimum": { "backend": … } with an id' }
  );
}
