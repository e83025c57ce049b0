/** `takesMs`: how long the real program would take; the caller waits for it, or for its time limit. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly takesMs: number;
}

export const ok = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: '', takesMs: 0 });
export const failed = (exitCode: number, stderr: string, stdout = ''): CommandResult => ({ exitCode, stdout, stderr, takesMs: 0 });

/** Arguments that are no options; of options with a value neither. */
export function positionals(args: readonly string[], withValue: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (withValue.includes(arg)) index += 1;
    else if (!arg.startsWith('-')) found.push(arg);
  }
  return found;
}
