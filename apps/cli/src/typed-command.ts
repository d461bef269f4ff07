/** What needs no quotes in a shell. */
const plain = /^[\w@%+=:,./-]+$/;

const quoted = (argument: string): string =>
  plain.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;

/** The command line as a POSIX shell takes it again, for reports: the shell has resolved quotes, variables and globs. */
export const typedCommand = (args: readonly string[] = process.argv.slice(2)): string =>
  ['optimum', ...args.map(quoted)].join(' ');
