/**
 * Features that a target may have, by architecture, with the Linux flags that show them: what `features` of @optimum/core
 * says. (This package depends on nothing; its test holds the two together.)
 *
 * @type {Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>}
 */
export const featuresOf = {
  x64: {
    avx2: ['avx2', 'fma'],
    avx512: ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'],
    'avx-vnni': ['avx_vnni'],
    'avx512-vnni': ['avx512f', 'avx512bw', 'avx512_vnni'],
    'avx-vnni-int8': ['avx_vnni_int8'],
    'amx-int8': ['amx_tile', 'amx_int8'],
    'avx512-bf16': ['avx512_bf16'],
    'amx-bf16': ['amx_tile', 'amx_bf16'],
    'avx512-fp16': ['avx512_fp16'],
  },
  arm64: {
    neon: ['asimd'],
    dotprod: ['asimddp'],
    i8mm: ['i8mm'],
    sve: ['sve'],
    sve2: ['sve2'],
    'arm-bf16': ['bf16'],
  },
};

/** What a first target has unless it is said. */
export const defaultFeatures = { x64: ['avx2'], arm64: ['neon', 'dotprod'] };

/** Codes by which Linux names the makers of Arm cores. @source linux arch/arm64/include/asm/cputype.h */
const implementers = {
  ARM: '0x41',
  Cavium: '0x43',
  Fujitsu: '0x46',
  HiSilicon: '0x48',
  Qualcomm: '0x51',
  Apple: '0x61',
  Microsoft: '0x6d',
  Ampere: '0xc0',
};

/** A /proc/cpuinfo as a machine of the first target might show it, until a real one is recorded. */
export function cpuInfoOf({ architecture, vendor, features }) {
  const flags = [...new Set(features.flatMap((feature) => featuresOf[architecture][feature]))].join(' ');
  const lines =
    architecture === 'arm64'
      ? [
          ['Features', flags],
          ['CPU implementer', implementers[vendor] ?? vendor],
          ['CPU part', '0x001'],
        ]
      : [
          ['vendor_id', vendor],
          ['cpu family', '1'],
          ['model', '1'],
          ['model name', `${vendor} One`],
          ['flags', flags],
        ];
  return ['# made by create-backend: put the /proc/cpuinfo of a real machine here, and say where it is from']
    .concat([['processor', '0'], ...lines].map(([key, value]) => `${key}\t: ${value}`))
    .join('\n');
}
