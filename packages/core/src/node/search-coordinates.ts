import { existsSync } from 'node:fs';
import type { ServingConfiguration } from '../evaluate/index.ts';
import type { GrantedCores } from './granted-cores.ts';

/** Settings that could be served with. */
export interface Candidate {
  readonly configuration: ServingConfiguration;
  readonly batch: number | undefined;
}

/** One kind of setting: what to try, given the best so far. */
export type Coordinate = (best: Candidate) => Candidate[];

const spinning = 'session.intra_op.allow_spinning';
const disabledOptimizers = 'optimization.disable_specified_optimizers';

/** Where Debian, Ubuntu, Fedora and Alpine put allocators that can take the place of the C library's. */
const allocatorFiles = ['libjemalloc.so.2', 'libmimalloc.so.2', 'libmimalloc.so.2.0', 'libmimalloc.so.3'];
const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];

/** Allocators that are installed on this machine, by path. */
export const installedAllocators = (): string[] =>
  allocatorFiles.flatMap((name) =>
    libraryFolders
      .map((folder) => `${folder}/${name}`)
      .filter(existsSync)
      .slice(0, 1),
  );

/**
 * The settings that a search goes through, in this order. Optimizers: one fusion that costs more than it saves on some
 * versions of the runtime. Huge pages help where weights are read once for each run.
 */
export function coordinatesOf(
  objective: 'latency' | 'throughput',
  granted: GrantedCores,
  batches: readonly (number | undefined)[],
  allocators: readonly string[] = process.platform === 'linux' ? installedAllocators() : [],
): Coordinate[] {
  const cores = Math.max(1, Math.floor(granted.granted));
  return [
    (best) => (objective === 'latency' ? threadChoices(best, cores) : instanceChoices(best, granted, cores)),
    (best) => batches.map((batch) => ({ ...best, batch })),
    (best) => (best.configuration.threads > 1 ? [withConfig(best, spinning, '0')] : []),
    (best) => [withConfig(best, disabledOptimizers, 'SkipLayerNormFusion')],
    (best) => allocators.map((path) => withEnvironment(best, 'LD_PRELOAD', path)),
    // Of another allocator it is no setting.
    (best) =>
      process.platform === 'linux' && !('LD_PRELOAD' in best.configuration.environment)
        ? [withEnvironment(best, 'GLIBC_TUNABLES', 'glibc.malloc.hugetlb=1')]
        : [],
  ];
}

/** One process: 1, 2, 4, … threads, and all cores. */
const threadChoices = (best: Candidate, cores: number): Candidate[] =>
  powersUpTo(cores).map((threads) => withServing(best, { threads, instances: 1 }));

/** All cores, shared between few processes of many threads or many of few. */
const instanceChoices = (best: Candidate, granted: GrantedCores, cores: number): Candidate[] =>
  powersUpTo(cores)
    .reverse()
    .map((instances) => {
      const threads = Math.max(1, Math.floor(cores / instances));
      return withServing(best, { threads, instances, cores: coresOf(granted, instances, threads) });
    });

/** Instances that share a quota are not bound: the system knows better which core is free. */
function coresOf({ cores, quota }: GrantedCores, instances: number, threads: number): number[][] | undefined {
  if (!cores || quota !== undefined || instances === 1 || process.platform !== 'linux') return undefined;
  return Array.from({ length: instances }, (_, one) => cores.slice(one * threads, (one + 1) * threads));
}

function powersUpTo(most: number): number[] {
  const powers: number[] = [];
  for (let power = 1; power < most; power *= 2) powers.push(power);
  return [...powers, most];
}

function withServing(
  { configuration, batch }: Candidate,
  { threads, instances, cores }: Pick<ServingConfiguration, 'threads' | 'instances' | 'cores'>,
): Candidate {
  const { config, environment } = configuration;
  return { batch, configuration: { threads, instances, ...(cores && { cores }), config, environment } };
}

const withConfig = ({ configuration, batch }: Candidate, key: string, value: string): Candidate => ({
  batch,
  configuration: { ...configuration, config: { ...configuration.config, [key]: value } },
});

const withEnvironment = ({ configuration, batch }: Candidate, name: string, value: string): Candidate => ({
  batch,
  configuration: { ...configuration, environment: { ...configuration.environment, [name]: value } },
});

/** What a person reads of a candidate; equal ones have equal texts. */
export function keyOf({ configuration, batch }: Candidate): string {
  const { threads, instances, cores, config, environment } = configuration;
  const settings = Object.entries({ ...config, ...environment }).map(([name, value]) => `${name}=${value}`);
  return [
    `${instances} ${instances === 1 ? 'instance' : 'instances'}`,
    `${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    ...(cores ? [`cores ${cores.map((own) => own.join('+')).join('/')}`] : []),
    ...(batch === undefined ? [] : [`batch ${batch}`]),
    ...settings.sort(),
  ].join(', ');
}
