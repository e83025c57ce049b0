/**
 * A command as one line for a POSIX shell, for people to read and paste; nothing here is run through a shell.
 * Plain single quotes instead of the shescape library, which asks this machine which shells it has, where the line is for another one.
 */
export function commandLine(argv: readonly string[], asRoot = false): string {
  const words = argv.map(shellWord);
  return (asRoot ? ['sudo', ...words] : words).join(' ');
}

/** One word, quoted where a shell would read something into it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
