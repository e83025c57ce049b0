import SSHConfig from 'ssh-config';
import type { HostAlias } from '../../mesh/ports.ts';
import { checkAlias } from '../words.ts';
import { readConfigText, userConfigFile } from './files.ts';

/**
 * The names that `Host` lines of the user's ssh_config (Include files too) give to single machines: no patterns, no negations.
 * Reads files only. A name that could not be used as a destination is left out.
 */
export async function listHosts(options: { readonly configFile?: string } = {}): Promise<readonly HostAlias[]> {
  const text = await readConfigText(options.configFile ?? userConfigFile());
  const parsed = SSHConfig.parse(text);
  const aliases = new Map<string, HostAlias>();
  for (const line of text.split('\n')) {
    // By hand: the library takes `=` inside a pattern for a separator.
    const patterns = /^\s*host(?:\s+|\s*=\s*)(.+)$/i.exec(line)?.[1]?.match(/"[^"]*"|\S+/g) ?? [];
    for (const alias of patterns.map((pattern) => pattern.replaceAll('"', '')).filter(isUsable)) {
      if (!aliases.has(alias)) aliases.set(alias, describe(parsed, alias));
    }
  }
  return [...aliases.values()].sort((a, b) => a.alias.localeCompare(b.alias));
}

function describe(parsed: SSHConfig, alias: string): HostAlias {
  const computed = parsed.compute(alias, { ignoreCase: true, matchExec: false });
  const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
  const hostName = one(computed.hostname ?? computed.HostName);
  const user = one(computed.user ?? computed.User);
  return { alias, ...(hostName === undefined ? {} : { hostName }), ...(user === undefined ? {} : { user }) };
}

function isUsable(pattern: string): boolean {
  if (/[*?!]/.test(pattern)) return false;
  try {
    return checkAlias(pattern) === pattern;
  } catch {
    return false;
  }
}
