import { createHash } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { hostError } from '../errors.ts';
import { expandHome } from './files.ts';
import { localNames, option, type EffectiveConfig } from './effective.ts';

/** A path of an option with `~`, `%` tokens and `${VARIABLE}` filled in (ssh_config(5), TOKENS). Throws `host.option-unsupported` for an unknown token. */
export function expandPath(config: EffectiveConfig, keyword: string, value: string): string {
  // Most have none, and who and where we are is looked up anew each time.
  if (!/[%$]/.test(value)) return expandHome(value);
  const names = localNames();
  const jump = option(config, 'proxyjump') ?? '';
  const alias = option(config, 'hostkeyalias') ?? config.alias;
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    h: config.hostName,
    n: config.alias,
    p: String(config.port),
    r: config.user,
    u: userInfo().username,
    d: homedir(),
    i: String(userInfo().uid),
    L: names.short,
    l: names.full,
    k: alias,
    j: jump,
    C: createHash('sha1').update(`${names.full}${config.hostName}${config.port}${config.user}${jump}`).digest('hex'),
  };
  const unsupported = (): never => {
    throw hostError('host.option-unsupported', { host: config.alias, option: keyword, value });
  };
  const filled = value
    .replace(/%(.?)/g, (_, letter: string) => tokens[letter] ?? unsupported())
    .replace(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? unsupported());
  return expandHome(filled);
}
