import type { Capability, CpuFacts, Feature, Runtime } from '@optimum/core';
import type { Proof } from './claim/proof.ts';

/** What the kit cannot read off the backend itself. */
export interface KitOptions {
  /** Folder of the package, with its package.json: the manifest is compared with the module. Absent: not compared. */
  readonly folder?: string | URL | undefined;
  /** Facts of machines that the backend's targets are for, by name: each match rule must recognise one of them. */
  readonly machines?: Readonly<Record<string, CpuFacts>> | undefined;
  /** Targets of which nobody has recorded a machine yet, each with how its rules are known instead. */
  readonly unrecorded?: Readonly<Record<string, string>> | undefined;
  /**
   * Names of cases that are known to fail, each with the reason. They are run all the same: one that passes fails the
   * run, and so does a name that no case has.
   */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /** Other CPUs on which the same runtime can be run here: claims that hold there, and not here, are executed on them. */
  readonly emulated?: readonly EmulatedCpu[] | undefined;
  /** Models that prove claims about operators which the kit does not know; `undefined` leaves a claim to the kit. */
  readonly proofsOf?: ((claim: Capability) => readonly Proof[] | undefined) | undefined;
  /** Facts of the CPU that the cases run on. @defaultValue this machine's */
  readonly cpu?: CpuFacts | undefined;
  /** Longest time for one case, in milliseconds. @defaultValue 60 000 */
  readonly timeLimitMs?: number | undefined;
}

/** A CPU that an emulator shows to the runtime. */
export interface EmulatedCpu {
  /** For names of cases: `Haswell (qemu)`. */
  readonly name: string;
  readonly features: readonly Feature[];
  /** Its sessions run on that CPU; only `run` and `close` are called on them. */
  readonly runtime: Pick<Runtime, 'createSession'>;
}
