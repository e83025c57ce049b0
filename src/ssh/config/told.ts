import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { includedFiles, SYSTEM_CONFIG_FILE, userConfigFile } from './files.ts';
import { matchesPatterns } from '../patterns.ts';

/** What the configuration files tell OpenSSH about one alias. Aliases that are told the same get the same answer of `ssh -G`, but for their names. */
export interface Told {
  /** The lines that count for the alias, in order, without Host and HostName. */
  readonly lines: readonly string[];
  readonly hostName: string;
  /** Files that were read, and the Host lines that match, as `ssh -v` names them. */
  readonly files: readonly string[];
  readonly applied: readonly string[];
}

/** Whose effect is not in the lines alone: what depends on the alias in another way, or on more than the files. */
const OTHER = /^(match|canonical\w*|proxyjump|proxycommand|knownhostscommand|tag)$/;

/**
 * Undefined where that cannot be said for certain: Match, tokens and variables, an Include inside a block, quotes, or an alias that is more than a plain name.
 * It decides only whether two aliases may share an answer; the answer is always OpenSSH's.
 */
export async function toldAbout(alias: string, configFile?: string): Promise<Told | undefined> {
  if (!isPlain(alias)) return undefined;
  const told = { lines: [] as string[], hostName: undefined as string | undefined, files: [] as string[], applied: [] as string[] };
  const read = async (file: string, depth: number): Promise<boolean> => {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) return true;
    told.files.push(file);
    let active = true;
    let inBlock = false;
    for (const [index, line] of text.split('\n').entries()) {
      const [, keyword = '', rest = ''] = /^\s*([A-Za-z]*)(.*?)\s*$/.exec(line) ?? [];
      const word = keyword.toLowerCase();
      if (word === '') {
        if (rest !== '' && !rest.startsWith('#')) return false;
        continue;
      }
      if (OTHER.test(word) || /[%$]/.test(rest)) return false;
      if (word === 'host' || word === 'hostname' || word === 'include') {
        const args = /^[ \t]+([\w.*?!:~/ \t-]+)$/
          .exec(rest)?.[1]
          ?.trim()
          .split(/[ \t]+/);
        if (args === undefined) return false;
        if (word === 'host') {
          active = matchesPatterns(args, alias);
          inBlock = true;
          if (active) told.applied.push(`${file} line ${index + 1}`);
        } else if (word === 'include') {
          if (inBlock || depth > 8) return false;
          for (const pattern of args)
            for (const path of await includedFiles(pattern, file)) if (!(await read(path, depth + 1))) return false;
        } else if (active) {
          if (args.length !== 1 || !isPlain(args[0] ?? '')) return false;
          told.hostName ??= args[0];
        }
      } else if (active) told.lines.push(`${word}${rest}`);
    }
    return true;
  };
  const files = configFile === undefined ? [userConfigFile(), SYSTEM_CONFIG_FILE] : [configFile];
  for (const file of files) if (!(await read(file, 0))) return undefined;
  return { ...told, hostName: told.hostName ?? alias };
}

/** A name or address that OpenSSH takes as it is: it writes names in lower case, and numbers that inet_aton(3) accepts as addresses. */
function isPlain(name: string): boolean {
  return isIPv4(name) || /^[a-z][a-z0-9._-]*$/.test(name);
}
