/** Instruction sets with 8-bit dot products into 32 bits: sums are exact. */
export const dotProduct = ['avx-vnni', 'avx512-vnni', 'amx-int8', 'avx-vnni-int8'] as const;
