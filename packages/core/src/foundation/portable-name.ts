/** Names that Windows gives to devices, with or without an extension. */
const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

/**
 * Why a name is no plain relative path under the rules of POSIX and of Windows, on whatever system this runs, or
 * `undefined`. Nothing is decoded: `%2e%2e` is a name like any other.
 */
export function relativePathProblem(location: string): string | undefined {
  if (location === '') return 'the name is empty';
  if (location.length > 4096) return `the name is too long (${location.length} characters)`;
  if (location.includes('\0')) return 'the name holds a NUL';
  if (/^[\\/]/.test(location)) return 'the name is absolute';
  if (location.includes(':')) return 'the name holds a colon (a drive or a stream on Windows)';
  const segments = location.split(/[\\/]/);
  if (segments.includes('..')) return 'the name goes up with ".."';
  // Windows drops trailing dots and spaces, so that these would become "..".
  if (segments.some((segment) => /^\.\.[. ]+$|^\. +\.[. ]*$/.test(segment))) return 'the name goes up on Windows';
  return undefined;
}

/** Why a file should not be made under this name, because some system could not open it, or `undefined`. */
export function portableNameProblem(name: string): string | undefined {
  const problem = relativePathProblem(name);
  if (problem) return problem;
  for (const segment of name.split(/[\\/]/)) {
    if (segment !== '.' && /[. ]$/.test(segment)) return 'a part of the name ends with a dot or a space';
    if (device.test(segment)) return `"${segment}" is a device on Windows`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    if (/[<>"|?*\u0000-\u001f]/.test(segment)) return 'the name holds a character that Windows forbids';
  }
  return undefined;
}
