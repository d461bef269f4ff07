import type { CaseResult } from './backend-case.ts';

/** A claim, and the CPU that it was tried on where that is not this one. */
const claimName = /^claim (\S+)(?: on (.*))?$/;

/** `59 claims: 55 executed (11 of them on Haswell (qemu)), 4 skipped: 4 × this CPU lacks dotprod. 22 of 22 other …` */
export function summary(results: readonly CaseResult[]): string {
  const claims = new Map<string, { here?: CaseResult; elsewhere?: string }>();
  for (const result of results) {
    const [, id, cpu] = claimName.exec(result.name) ?? [];
    if (id === undefined) continue;
    const known = claims.get(id) ?? {};
    claims.set(id, cpu === undefined ? { ...known, here: result } : { ...known, elsewhere: cpu });
  }
  const skipped = [...claims.values()].flatMap(({ here, elsewhere }) =>
    here?.status === 'skipped' && elsewhere === undefined ? [here.reason] : [],
  );
  const emulated = [...claims.values()].flatMap(({ elsewhere }) => (elsewhere === undefined ? [] : [elsewhere]));
  const others = results.filter(({ name }) => !claimName.test(name));
  const passed = others.filter(({ status }) => status === 'passed').length;
  return [
    `${claims.size} claims: ${claims.size - skipped.length} executed`,
    emulated.length > 0 ? ` (${counted(emulated).replaceAll(' × ', ' of them on ')})` : '',
    skipped.length > 0 ? `, ${skipped.length} skipped: ${counted(skipped)}` : '',
    `. ${passed} of ${others.length} other cases passed.`,
    ...failures(results),
  ].join('');
}

const counted = (texts: readonly string[]): string =>
  [...new Set(texts)].map((text) => `${texts.filter((one) => one === text).length} × ${text}`).join('; ');

function failures(results: readonly CaseResult[]): string[] {
  const messages = results.flatMap((result) => (result.status === 'failed' ? [result.message] : []));
  return messages.length > 0 ? [` ${messages.length} failed:`, ...messages.map((message) => `\n  ${message}`)] : [];
}
