import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, sep } from 'node:path';

/** Lines of an ssh_config with its Include files in place (ssh_config(5)); unreadable files count as empty, as for OpenSSH. */
export async function readConfigText(file: string, depth = 0): Promise<string> {
  if (depth > 16) return '';
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const include = /^\s*include(?:\s+|\s*=\s*)(.+?)\s*$/i.exec(line);
    if (include?.[1] === undefined) lines.push(line);
    else {
      for (const pattern of include[1].match(/"[^"]*"|\S+/g) ?? []) {
        for (const path of await includedFiles(pattern.replace(/^"|"$/g, ''), file)) lines.push(await readConfigText(path, depth + 1));
      }
    }
  }
  return lines.join('\n');
}

/** Where most builds of OpenSSH have the system's file. */
export const SYSTEM_CONFIG_FILE = '/etc/ssh/ssh_config';

/** Files that an Include with this pattern reads, in order. */
export function includedFiles(pattern: string, from: string): Promise<string[]> {
  return expandGlob(resolveInclude(pattern, from));
}

export function userConfigFile(): string {
  return join(homedir(), '.ssh', 'config');
}

/** `~` of the start of a path. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Relative names of Include are below ~/.ssh for a user's file and below /etc/ssh for the system's. */
function resolveInclude(path: string, from: string): string {
  const expanded = expandHome(path);
  if (isAbsolute(expanded)) return expanded;
  return join(from.startsWith('/etc/ssh/') ? '/etc/ssh' : join(homedir(), '.ssh'), expanded);
}

/** Files that match a path with `*` and `?` in its segments, in name order. */
async function expandGlob(pattern: string): Promise<string[]> {
  if (!/[*?]/.test(pattern)) return [pattern];
  const directory = dirname(pattern);
  const parents = await expandGlob(directory);
  const name = pattern.slice(directory.endsWith(sep) ? directory.length : directory.length + 1);
  const matcher = new RegExp(
    `^${name
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const found: string[] = [];
  for (const parent of parents) {
    const names = await readdir(parent).catch((): string[] => []);
    found.push(
      ...names
        .filter((entry) => matcher.test(entry) && (name.startsWith('.') || !entry.startsWith('.')))
        .sort()
        .map((entry) => join(parent, entry)),
    );
  }
  return found;
}
