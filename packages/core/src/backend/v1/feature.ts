import type { CpuFacts } from './cpu-facts.ts';

/**
 * Instruction sets by which integer kernels differ. Not every flag of a CPU: only those that a capability or a target
 * names. A name in a target file that is not here is refused.
 */
export const features = [
  'avx2',
  'avx512',
  'avx-vnni',
  'avx512-vnni',
  'avx-vnni-int8',
  'amx-int8',
  'avx512-bf16',
  'amx-bf16',
  'avx512-fp16',
  'neon',
  'dotprod',
  'i8mm',
  'sve',
  'sve2',
  'arm-bf16',
] as const;

export type Feature = (typeof features)[number];

/**
 * Linux flag names that together show a feature; `avx512` is the set that ONNX Runtime's AVX512 kernels ask for. The
 * record of an Arrow Lake, which has AVX-VNNI-INT8, shows no flag of that name: Linux may never show that feature.
 * @source linux arch/x86/include/asm/cpufeatures.h, Documentation/arch/arm64/elf_hwcaps.rst
 */
const flagsOf: Readonly<Record<Feature, readonly string[]>> = {
  avx2: ['avx2', 'fma'],
  avx512: ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'],
  'avx-vnni': ['avx_vnni'],
  'avx512-vnni': ['avx512f', 'avx512bw', 'avx512_vnni'],
  'avx-vnni-int8': ['avx_vnni_int8'],
  'amx-int8': ['amx_tile', 'amx_int8'],
  'avx512-bf16': ['avx512_bf16'],
  'amx-bf16': ['amx_tile', 'amx_bf16'],
  'avx512-fp16': ['avx512_fp16'],
  neon: ['asimd'],
  dotprod: ['asimddp'],
  i8mm: ['i8mm'],
  sve: ['sve'],
  sve2: ['sve2'],
  'arm-bf16': ['bf16'],
};

/** The features that the CPU's flags show, in table order. More flags never give fewer features. */
export function featuresOf(facts: CpuFacts): Feature[] {
  const flags = new Set(facts.flags);
  return features.filter((feature) => flagsOf[feature].every((flag) => flags.has(flag)));
}
