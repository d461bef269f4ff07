import type { ServingConfiguration } from '@optimum/core';
import { counted } from '../format.ts';

/** `2 instances of 1 thread`, with bound CPUs and settings behind it. */
export function configurationText({ threads, instances, cores, config, environment }: ServingConfiguration): string {
  const bound = cores ? [`on CPUs ${cores.map((own) => own.join('+')).join(', ')}`] : [];
  const settings = [...Object.entries(config), ...Object.entries(environment)].map(
    ([name, value]) => `${name}=${value}`,
  );
  return [`${counted(instances, 'instance')} of ${counted(threads, 'thread')}`, ...bound, ...settings].join('; ');
}
