// biome-ignore-all lint/suspicious/noUndeclaredEnvVars: no task of Turborepo runs the benchmarks
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** True in tests, which use the sources instead of the build. */
export const isTest = process.env.VITEST !== undefined;

/** Where generated models, unpacked archives and results are kept: never in the repository. */
export const benchFolder = process.env.OPTIMUM_BENCH ?? join(tmpdir(), 'optimum-bench');

/** Where the zoo is, when it is not beside the checkout. */
export const zooSetting = process.env.OPTIMUM_ZOO;

/** Python of an environment that has the opponent. */
export const pythonSetting = process.env.OPTIMUM_BENCH_PYTHON;
