import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Packages import each other's sources in tests, so that no test depends on a stale build.
  resolve: { conditions: ['@optimum/source'] },
  ssr: { resolve: { conditions: ['@optimum/source'] } },
  test: {
    include: ['{packages,apps,tools}/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 60_000,
  },
});
