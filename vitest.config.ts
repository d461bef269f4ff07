import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Packages import each other's sources in tests, so that no test depends on a stale build.
  resolve: { conditions: ['@optimum/source'] },
  ssr: { resolve: { conditions: ['@optimum/source'] } },
  test: {
    include: ['{packages,apps,tools}/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Most of the time is spent in child processes of the tests.
    maxWorkers: '100%',
    // What was measured on this machine must not change what tests see: nobody writes into this folder.
    env: { ORT_DISABLE_TELEMETRY: '1', OPTIMUM_CACHE: join(tmpdir(), 'optimum-no-cache') },
    testTimeout: 60_000,
  },
});
