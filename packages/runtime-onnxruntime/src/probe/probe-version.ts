/** Raised whenever kernels or shapes are added or changed: tables of another version are measured again. */
export const probeVersion = 1;
