import SSHConfig from 'ssh-config';
import { readConfigText, SYSTEM_CONFIG_FILE, userConfigFile } from './files.ts';

/**
 * Options where this computer has no OpenSSH client: first value wins, Include is followed, `Match exec` is never run.
 * Tokens stay as they are; see tokens.ts.
 */
export async function computeWithoutSsh(alias: string, configFile?: string): Promise<Map<string, readonly string[]>> {
  const at = alias.lastIndexOf('@');
  const host = alias.slice(at + 1);
  const text =
    configFile === undefined
      ? `${await readConfigText(userConfigFile())}\nHost *\n${await readConfigText(SYSTEM_CONFIG_FILE)}`
      : await readConfigText(configFile);
  const query = { Host: host, ...(at > 0 ? { User: alias.slice(0, at) } : {}) };
  const computed = SSHConfig.parse(text).compute(query, { ignoreCase: true, matchExec: false });
  const options = new Map<string, readonly string[]>();
  for (const [keyword, value] of Object.entries(computed)) options.set(keyword.toLowerCase(), Array.isArray(value) ? value : [value]);
  options.delete('host');
  return options;
}
