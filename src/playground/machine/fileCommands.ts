import { failed, ok, positionals, type CommandResult } from './command.ts';
import type { Machine } from './machine.ts';

export function cat(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  let stdout = '';
  for (const path of positionals(args, [])) {
    const entry = machine.files.get(path);
    if (!entry) return failed(1, `cat: ${path}: No such file or directory\n`, stdout);
    if (!asRoot && (entry.mode & 0o004) === 0) return failed(1, `cat: ${path}: Permission denied\n`, stdout);
    stdout += Buffer.from(entry.bytes).toString('utf8');
  }
  return ok(stdout);
}

export function tail(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const count = Number(args[args.indexOf('-n') + 1] ?? 10);
  let stdout = '';
  let stderr = '';
  for (const path of positionals(args, ['-n', '-c'])) {
    const entry = machine.files.get(path);
    if (entry === undefined || (!asRoot && (entry.mode & 0o004) === 0)) {
      stderr += `tail: cannot open '${path}' for reading: ${entry === undefined ? 'No such file or directory' : 'Permission denied'}\n`;
      continue;
    }
    const lines = Buffer.from(entry.bytes).toString('utf8').trimEnd().split('\n');
    stdout += `${lines.slice(-count).join('\n')}\n`;
  }
  return { ...ok(stdout), stderr, exitCode: stderr === '' ? 0 : 1 };
}

export function cp(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const [from = '', to = ''] = positionals(args, []);
  const entry = machine.files.get(from);
  if (!asRoot) return failed(1, `cp: cannot create regular file '${to}': Permission denied\n`);
  if (entry === undefined) return failed(1, `cp: cannot stat '${from}': No such file or directory\n`);
  machine.files.set(to, entry);
  return ok('');
}

export function rm(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  if (!asRoot) return failed(1, 'rm: Permission denied\n');
  for (const path of positionals(args, [])) machine.files.set(path, undefined);
  return ok('');
}

/** `sed -i -e '/PATTERN/d' FILE`: lines taken out, in POSIX's basic syntax. */
export function sed(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const script = args[args.indexOf('-e') + 1] ?? '';
  const [path = ''] = positionals(args, ['-e']);
  const entry = machine.files.get(path);
  const [, pattern] = /^\/(.*)\/d$/.exec(script) ?? [];
  if (pattern === undefined || !args.includes('-i')) return failed(1, "the playground has only: sed -i -e '/PATTERN/d' FILE\n");
  if (entry === undefined || !asRoot) return failed(entry === undefined ? 2 : 4, `sed: can't read ${path}\n`);
  const basic = pattern.replace(/\\([+?()|])|([+?()|])/g, (_, special?: string, plain?: string) => special ?? `\\${plain ?? ''}`);
  const gone = new RegExp(basic.replaceAll('[[:blank:]]', '[ \\t]').replaceAll('\\/', '/'));
  const lines = Buffer.from(entry.bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => !gone.test(line));
  machine.files.set(path, { ...entry, bytes: Buffer.from(lines.join('\n')) });
  return ok('');
}

/** `chown -R OWNER:GROUP PATH...` */
export function chown(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const [who = '', ...paths] = positionals(args, []);
  const [owner = '', group = owner] = who.split(':');
  if (!asRoot) return failed(1, 'chown: Operation not permitted\n');
  for (const root of paths)
    for (const path of [root, ...machine.files.below(root)]) {
      const entry = machine.files.get(path);
      if (entry !== undefined) machine.files.set(path, { ...entry, owner, group });
    }
  return ok('');
}
