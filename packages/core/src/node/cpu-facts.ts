import { execFileSync } from 'node:child_process';
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

/** The facts in the text of /proc/cpuinfo. */
export function parseCpuInfo(text: string, architecture: string, threads: number, fallbackName = ''): CpuFacts {
  const first = text.split(/\n\s*\n/)[0] ?? '';
  const fields = new Map<string, string>();
  for (const line of first.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  const number = (key: string): number | undefined => (fields.has(key) ? Number(fields.get(key)) : undefined);
  const isArm = fields.has('CPU implementer');
  const implementer = fields.get('CPU implementer') ?? '';
  return {
    architecture,
    vendor: isArm ? (implementers[implementer] ?? implementer) : (fields.get('vendor_id') ?? ''),
    modelName: fields.get('model name') ?? fallbackName,
    family: isArm ? undefined : number('cpu family'),
    model: isArm ? number('CPU part') : number('model'),
    stepping: isArm ? number('CPU revision') : number('stepping'),
    flags: (fields.get('flags') ?? fields.get('Features') ?? '').split(/\s+/).filter((flag) => flag !== ''),
    threads,
  };
}

/** macOS names of the features that matter here, as Linux spells them. */
const appleFlags: Readonly<Record<string, string>> = {
  'hw.optional.AdvSIMD': 'asimd',
  'hw.optional.arm.FEAT_DotProd': 'asimddp',
  'hw.optional.arm.FEAT_I8MM': 'i8mm',
  'hw.optional.arm.FEAT_BF16': 'bf16',
  'hw.optional.avx2_0': 'avx2',
  'hw.optional.fma': 'fma',
  'hw.optional.avx512f': 'avx512f',
  'hw.optional.avx512bw': 'avx512bw',
  'hw.optional.avx512vnni': 'avx512_vnni',
};

/** The facts in the text of `sysctl hw machdep.cpu`. */
export function parseSysctl(text: string, architecture: string, threads: number, fallbackName = ''): CpuFacts {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const flags = Object.entries(appleFlags).flatMap(([key, flag]) => (fields.get(key) === '1' ? [flag] : []));
  const vendor = fields.get('machdep.cpu.vendor') ?? (architecture === 'arm64' ? 'Apple' : '');
  return { architecture, vendor, modelName: fields.get('machdep.cpu.brand_string') ?? fallbackName, flags, threads };
}

function sysctl(): string {
  try {
    return execFileSync('sysctl', ['hw', 'machdep.cpu'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
