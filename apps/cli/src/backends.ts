import { fits } from '@optimum/core';
import { discoverBackends, readCpuFacts } from '@optimum/core/node';
import { colours } from './colours.ts';
import { programFolder } from './quantize.ts';
import { table } from './table.ts';

/** `optimum backends`: what is installed, read from manifests alone. */
export function backendsCommand({ json }: { readonly json?: boolean }): void {
  const facts = readCpuFacts();
  const backends = discoverBackends({ programFolder }).map((backend) => ({
    id: backend.id,
    package: backend.package,
    version: backend.version,
    problem: backend.problem,
    targets: backend.targets.map((target) => ({
      id: target.id,
      name: target.name,
      features: target.features,
      isThisMachine: fits(target, facts),
    })),
  }));
  if (json) process.stdout.write(`${JSON.stringify({ cpu: facts, backends }, null, 2)}\n`);
  else if (backends.length === 0) process.stdout.write('No backend is installed. npm install @optimum/backend-cpu\n');
  for (const backend of json ? [] : backends) {
    const rows = backend.targets.map(({ id, name, features, isThisMachine }) => [
      isThisMachine ? '*' : ' ',
      id,
      name,
      features.join(' '),
    ]);
    process.stdout.write(
      `${colours.bold(backend.id)}  ${backend.package} ${backend.version}${backend.problem ? `  ${colours.red(backend.problem)}` : ''}\n${table(rows)}\n\n`,
    );
  }
  if (!json) process.stdout.write(`* matches this machine: ${facts.modelName}\n`);
}
