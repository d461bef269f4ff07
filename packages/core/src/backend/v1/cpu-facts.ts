/**
 * What the operating system says of this CPU, read once. It is not what the silicon can do: a kernel or a hypervisor
 * may hide instruction sets, and then they are not in `flags`. Tests use recorded facts of known machines.
 */
export interface CpuFacts {
  /** As Node's `process.arch`: `x64`, `arm64`, … */
  readonly architecture: string;
  /** `GenuineIntel`, `AuthenticAMD`, `ARM` (implementer 0x41), `Apple`, … or `''`. */
  readonly vendor: string;
  readonly modelName: string;
  /** x86 family and model; Arm part number in `model`. */
  readonly family?: number | undefined;
  readonly model?: number | undefined;
  readonly stepping?: number | undefined;
  /**
   * Flag names as Linux spells them in /proc/cpuinfo (`avx512_vnni`, `asimddp`, …): those that every core has. Empty
   * where they cannot be read.
   */
  readonly flags: readonly string[];
  /** Logical processors that this process may use. */
  readonly threads: number;
}
