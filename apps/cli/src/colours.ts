import pc from 'picocolors';

/**
 * Colours for people: on a terminal, or where FORCE_COLOR asks for them, and never against NO_COLOR. The library's own
 * default also takes the mere presence of CI for a wish, which puts escapes into logs that programs read.
 */
function areWanted({ NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return process.stdout.isTTY === true && process.stderr.isTTY === true && TERM !== 'dumb';
}

export const colours = pc.createColors(areWanted(process.env));
