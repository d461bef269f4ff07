import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where what was measured once is kept: `$OPTIMUM_CACHE`, or `optimum` in the user's cache folder as the system has it.
 * @source XDG Base Directory Specification; Apple File System Programming Guide; Windows KNOWNFOLDERID LocalAppData
 */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { OPTIMUM_CACHE: own, XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (own) return own;
  if (platform === 'win32') return join(local ?? join(homedir(), 'AppData', 'Local'), 'optimum', 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'optimum');
  return join(xdg ?? join(homedir(), '.cache'), 'optimum');
}
