import { OptimumError } from '../foundation/index.ts';
import type { InstalledBackend } from './discover-backends.ts';

/** The error of a backend that does not do what its contract says. `why` goes on after its name. */
export function incompatible(
  { id, package: name, version }: InstalledBackend,
  why: string,
  cause?: unknown,
): OptimumError {
  return new OptimumError('E_BACKEND_INCOMPATIBLE', `Backend ${id} (${name} ${version}) ${why}.`, {
    cause,
    hint: `Update it (npm install ${name}@latest), remove it (npm uninstall ${name}), or name another one with --backend.`,
    context: { backend: id, package: name, version },
  });
}
