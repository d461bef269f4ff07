import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { CpuFacts } from '../backend/index.ts';

/** Implementer codes of 64-bit Arm cores. @source linux arch/arm64/include/asm/cputype.h */
const implementers: Readonly<Record<string, string>> = {
  '0x41': 'ARM',
  '0x43': 'Cavium',
  '0x46': 'Fujitsu',
  '0x48': 'HiSilicon',
  '0x51': 'Qualcomm',
  '0x61': 'Apple',
  '0x6d': 'Microsoft',
  '0xc0': 'Ampere',
};

/** What the operating system says of this machine's CPU. Never throws: what cannot be told is left out. */
export function readCpuFacts(): CpuFacts {
  const threads = availableParallelism();
  const fallback = cpus()[0]?.model ?? 'unknown CPU';
  if (process.platform === 'linux') {
    try {
      return parseCpuInfo(readFileSync('/proc/cpuinfo', 'utf8'), process.arch, threads, fallback);
    } catch {
      // A sandbox may hide /proc.
    }
  }
  if (process.platform === 'darwin') return parseSysctl(sysctl(), process.arch, threads, fallback);
  return { architecture: process.arch, vendor: '', modelName: fallback, flags: [], threads };
}

/**
 * The facts in the text of /proc/cpuinfo: names and numbers of the first core, and the flags that every core has (the
 * cores of a hybrid CPU may differ, and a process may land on any of them).
 */
export function parseCpuInfo(text: string, architecture: string, threads: number, fallbackName = ''): CpuFacts {
  const cores = text
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .filter((fields) => fields.size > 0);
  const first = cores[0] ?? new Map<string, string>();
  const number = (key: string): number | undefined => (first.has(key) ? Number(first.get(key)) : undefined);
  const implementer = first.get('CPU implementer');
  const isArm = implementer !== undefined;
  return {
    architecture,
    vendor: isArm ? (implementers[implementer] ?? implementer) : (first.get('vendor_id') ?? ''),
    modelName: first.get('model name') ?? fallbackName,
    family: isArm ? undefined : number('cpu family'),
    model: isArm ? number('CPU part') : number('model'),
    stepping: isArm ? number('CPU revision') : number('stepping'),
    flags: sharedFlags(cores),
    threads,
  };
}

function fieldsOf(block: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return fields;
}

function sharedFlags(cores: readonly ReadonlyMap<string, string>[]): string[] {
  const texts = new Set(cores.flatMap((fields) => fields.get('flags') ?? fields.get('Features') ?? []));
  const [first = [], ...others] = [...texts].map((flags) => flags.split(/\s+/).filter((flag) => flag !== ''));
  return first.filter((flag) => others.every((flags) => flags.includes(flag)));
}

/** macOS names of the features that matter here, by Linux's name: any one of them shows it. */
const appleFlags: Readonly<Record<string, readonly string[]>> = {
  // Renamed with macOS 13; macOS 11 has only the last one.
  asimd: ['hw.optional.arm.AdvSIMD', 'hw.optional.AdvSIMD', 'hw.optional.neon'],
  asimddp: ['hw.optional.arm.FEAT_DotProd'],
  i8mm: ['hw.optional.arm.FEAT_I8MM'],
  bf16: ['hw.optional.arm.FEAT_BF16'],
  avx2: ['hw.optional.avx2_0'],
  fma: ['hw.optional.fma'],
  avx512f: ['hw.optional.avx512f'],
  avx512bw: ['hw.optional.avx512bw'],
  avx512dq: ['hw.optional.avx512dq'],
  avx512vl: ['hw.optional.avx512vl'],
  avx512_vnni: ['hw.optional.avx512vnni'],
};

/** The facts in the text of `sysctl hw machdep.cpu`. */
export function parseSysctl(text: string, architecture: string, threads: number, fallbackName = ''): CpuFacts {
  const fields = fieldsOf(text);
  const flags = Object.entries(appleFlags)
    .filter(([, names]) => names.some((name) => fields.get(name) === '1'))
    .map(([flag]) => flag);
  const vendor = fields.get('machdep.cpu.vendor') ?? (architecture === 'arm64' ? 'Apple' : '');
  return { architecture, vendor, modelName: fields.get('machdep.cpu.brand_string') ?? fallbackName, flags, threads };
}

function sysctl(): string {
  try {
    // Loaded here, because every other platform would pay for it at each start.
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    return execFileSync('sysctl', ['hw', 'machdep.cpu'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
