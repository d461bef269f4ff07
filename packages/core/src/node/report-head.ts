import type { ReportHead } from '../pipeline/index.ts';
import type { Preparation } from './prepare.ts';
import type { WorkOptions } from './work-options.ts';

/** What a report says of the hardware, the runtime and the place of the result. */
export async function reportHead(
  { target, backend, facts }: Preparation,
  output: string,
  { dryRun, projectFolder }: Pick<WorkOptions, 'dryRun'> & { readonly projectFolder?: string | undefined },
): Promise<ReportHead> {
  const status = await backend.runtime.status(projectFolder);
  return {
    schemaVersion: 1,
    target: { id: target.id, name: target.name, backend: target.backend, isThisMachine: target.isThisMachine },
    cpu: facts.modelName,
    ...(status.status === 'found' && { runtime: { id: backend.runtime.id, version: status.version } }),
    output,
    published: !dryRun,
  };
}
