import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Joules that the CPU packages have used since the counter was opened. */
export type EnergyCounter = () => number;

interface Zone {
  readonly path: string;
  /** The counter starts again at 0 past this many microjoules. */
  readonly range: number;
  last: number;
  total: number;
}

/**
 * The energy counters of all CPU packages (RAPL), or `undefined` where the machine has none or does not let this user
 * read them. It must be read more often than a counter wraps around, which takes a minute or more.
 * @source linux Documentation/power/powercap/powercap.rst
 */
export function openEnergyCounter(root = '/'): EnergyCounter | undefined {
  try {
    const folder = join(root, 'sys/class/powercap');
    // `intel-rapl:0:1` and the like are parts of a package; AMD's counters have Intel's name.
    const zones = readdirSync(folder)
      .filter((name) => /^intel-rapl:\d+$/.test(name))
      .map((name) => openZone(join(folder, name)));
    return zones.length > 0 ? () => zones.reduce((sum, zone) => sum + advance(zone), 0) / 1e6 : undefined;
  } catch {
    return undefined;
  }
}

function openZone(folder: string): Zone {
  const path = join(folder, 'energy_uj');
  const range = microjoules(join(folder, 'max_energy_range_uj'));
  return { path, range, last: microjoules(path), total: 0 };
}

function advance(zone: Zone): number {
  const now = microjoules(zone.path);
  zone.total += now >= zone.last ? now - zone.last : now + zone.range - zone.last;
  zone.last = now;
  return zone.total;
}

function microjoules(path: string): number {
  const value = Number(readFileSync(path, 'utf8'));
  if (!Number.isFinite(value)) throw new Error(`${path} holds no number`);
  return value;
}
