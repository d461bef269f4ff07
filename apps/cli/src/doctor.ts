import { readFileSync } from 'node:fs';
import * as modules from 'node:module';
import { join } from 'node:path';
import { featuresOf } from '@optimum/core';
import { discoverBackends, findCostTable, prepare, readCpuFacts } from '@optimum/core/node';
import { colours } from './colours.ts';
import { programFolder } from './quantize.ts';
import { table } from './table.ts';

interface Finding {
  readonly what: string;
  readonly status: 'ok' | 'warning' | 'problem';
  readonly detail: string;
  readonly fix?: string | undefined;
}

/** `optimum doctor`: what is there, what is missing, and the command that fixes it. */
export async function doctorCommand({ json }: { readonly json?: boolean }): Promise<void> {
  const findings = [cpu(), node(), ...libc(), ...backends(), ...(await runtime()), telemetry()];
  if (json) process.stdout.write(`${JSON.stringify({ findings }, null, 2)}\n`);
  else {
    const mark = { ok: colours.green('ok'), warning: colours.yellow('warn'), problem: colours.red('fix') };
    process.stdout.write(
      `${table(findings.map(({ what, status, detail, fix }) => [mark[status], what, fix ? `${detail}. ${fix}` : detail]))}\n`,
    );
  }
  if (findings.some(({ status }) => status === 'problem')) process.exitCode = 40;
}

function cpu(): Finding {
  const facts = readCpuFacts();
  const features = featuresOf(facts);
  const detail = `${facts.modelName}, ${facts.architecture}, ${facts.threads} threads: ${features.join(' ') || 'no known feature'}`;
  return { what: 'cpu', status: features.length > 0 ? 'ok' : 'warning', detail };
}

/** Lowest version that the packages are made for. */
const lowestNode = [20, 19] as const;

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isEnough = major > lowestNode[0] || (major === lowestNode[0] && minor >= lowestNode[1]);
  if (isEnough) return { what: 'node', status: 'ok', detail: process.version };
  const detail = `${process.version} is older than ${lowestNode.join('.')}`;
  return { what: 'node', status: 'problem', detail, fix: 'Install a current LTS release: https://nodejs.org' };
}

/** ONNX Runtime's binaries are made for glibc. */
function libc(): Finding[] {
  if (process.platform !== 'linux') return [];
  // Without this the report would look up the names of all network peers.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const version = header.glibcVersionRuntime;
  if (version === undefined) {
    const fix = 'ONNX Runtime needs glibc 2.28 or newer: in a container, use an image such as node:22-slim';
    return [{ what: 'libc', status: 'problem', detail: 'musl (Alpine)', fix }];
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > 2 || minor >= 28;
  const fix = isEnough ? undefined : 'ONNX Runtime needs glibc 2.28 or newer: use a newer system';
  return [{ what: 'libc', status: isEnough ? 'ok' : 'problem', detail: `glibc ${version}`, fix }];
}

function backends(): Finding[] {
  const found = discoverBackends({ programFolder });
  if (found.length === 0)
    return [
      { what: 'backend', status: 'problem', detail: 'none is installed', fix: 'npm install @optimum/backend-cpu' },
    ];
  return found.map(({ id, package: name, version, problem }) => ({
    what: 'backend',
    status: problem ? 'problem' : 'ok',
    detail: `${id} (${name} ${version})${problem ? `: ${problem}` : ''}`,
    fix: problem && `npm install ${name}@latest`,
  }));
}

async function runtime(): Promise<Finding[]> {
  try {
    const { backend, target, facts } = await prepare({ programFolder });
    const status = await backend.runtime.status();
    const chosen: Finding = { what: 'target', status: 'ok', detail: `${target.id} (${target.name})` };
    if (status.status === 'absent')
      return [chosen, { what: 'runtime', status: 'problem', detail: status.reason, fix: status.hint }];
    return [
      chosen,
      { what: 'runtime', status: 'ok', detail: `${backend.runtime.id} ${status.version} in ${status.path}` },
      ...duplicates(status),
      probed(await findCostTable(backend.runtime, facts)),
    ];
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    return [{ what: 'target', status: 'problem', detail: message.replace(/\.$/, ''), fix: hint }];
  }
}

/** Whether recipes know what kernels take on this CPU. */
function probed(found: Awaited<ReturnType<typeof findCostTable>>): Finding {
  if (!found) return { what: 'probe', status: 'ok', detail: 'kernels not measured: optimum probe does it once' };
  const { durationMs, measuredAt, unrest } = found.table;
  const detail = `kernels measured ${measuredAt} in ${(durationMs / 1000).toFixed(1)} s`;
  if (unrest <= 0.1) return { what: 'probe', status: 'ok', detail };
  const fix = 'The machine was busy: optimum probe --force when it is quiet';
  return { what: 'probe', status: 'warning', detail: `${detail}, unrest ${(100 * unrest).toFixed(0)} %`, fix };
}

/** Two versions of the runtime cannot live in one process on Linux: an application that has both breaks. */
function duplicates(status: { readonly version: string; readonly path: string }): Finding[] {
  const nested = nestedVersion();
  if (!nested || nested.version === status.version) return [];
  return [
    {
      what: 'runtime',
      status: 'warning',
      detail: `two versions: ${status.version}, and ${nested.version} inside ${nested.owner}`,
      fix: `npm install onnxruntime-node@${nested.version}, so that both are one`,
    },
  ];
}

function nestedVersion(): { version: string; owner: string } | undefined {
  for (const owner of ['@huggingface/transformers', '@xenova/transformers']) {
    try {
      const from = modules.createRequire(join(process.cwd(), 'index.js'));
      const entry = modules.createRequire(from.resolve(owner)).resolve('onnxruntime-node/package.json');
      return { version: (JSON.parse(readFileSync(entry, 'utf8')) as { version: string }).version, owner };
    } catch {
      // Not installed here.
    }
  }
  return undefined;
}

const telemetry = (): Finding => ({
  what: 'telemetry',
  status: process.env.ORT_DISABLE_TELEMETRY === '1' ? 'ok' : 'warning',
  detail: "Optimum has none, and switches ONNX Runtime's off in its own processes",
  fix:
    process.env.ORT_DISABLE_TELEMETRY === '1'
      ? undefined
      : 'For your application: set ORT_DISABLE_TELEMETRY=1 before it loads onnxruntime-node (1.29 and later send by default)',
});
