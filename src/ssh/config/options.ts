import { message, type Message } from '../../mesh/messages.ts';
import { hostError } from '../errors.ts';
import { isOn, option, type EffectiveConfig } from './effective.ts';

/** Options without which the connection would not be the one the user configured: refused. `unless` is OpenSSH's default. */
const REFUSED: readonly { readonly keyword: string; readonly unless: readonly string[] }[] = [
  { keyword: 'proxycommand', unless: [] },
  { keyword: 'knownhostscommand', unless: [] },
  { keyword: 'revokedhostkeys', unless: [] },
  { keyword: 'pkcs11provider', unless: [] },
  { keyword: 'bindinterface', unless: [] },
  { keyword: 'remotecommand', unless: [] },
  { keyword: 'sessiontype', unless: ['default'] },
  { keyword: 'proxyusefdpass', unless: ['no', 'false'] },
];

/** Options that change something else than the way in: named, and left undone. */
const NOTED: readonly { readonly keyword: string; readonly unless: readonly string[] }[] = [
  { keyword: 'certificatefile', unless: [] },
  { keyword: 'forwardagent', unless: ['no', 'false'] },
  { keyword: 'forwardx11', unless: ['no', 'false'] },
  { keyword: 'localforward', unless: [] },
  { keyword: 'remoteforward', unless: [] },
  { keyword: 'dynamicforward', unless: [] },
  { keyword: 'permitlocalcommand', unless: ['no', 'false'] },
  { keyword: 'setenv', unless: [] },
  { keyword: 'addkeystoagent', unless: ['no', 'false'] },
  { keyword: 'tunnel', unless: ['no', 'false'] },
  { keyword: 'checkhostip', unless: ['no', 'false'] },
  { keyword: 'verifyhostkeydns', unless: ['no', 'false'] },
];

const METHODS = new Set(['publickey', 'keyboard-interactive', 'password']);

/** Throws `host.option-unsupported` for what would be another connection than the configured one; returns a note for each other option that is left undone. */
export function judgeOptions(config: EffectiveConfig): Message[] {
  for (const { keyword, unless } of REFUSED) {
    const value = option(config, keyword);
    if (value !== undefined && !unless.includes(value.toLowerCase()))
      throw hostError('host.option-unsupported', { host: config.alias, option: keyword, value });
  }
  if (preferredMethods(config).length === 0) {
    const value = option(config, 'preferredauthentications') ?? 'none';
    throw hostError('host.option-unsupported', { host: config.alias, option: 'preferredauthentications', value });
  }
  return NOTED.flatMap(({ keyword, unless }) => {
    const value = option(config, keyword);
    return value === undefined || unless.includes(value.toLowerCase())
      ? []
      : [message('ssh.note.option', { host: config.alias, option: keyword, value })];
  });
}

/** Methods to try, in the configured order, those that are switched off left out. */
export function preferredMethods(config: EffectiveConfig): ('publickey' | 'keyboard-interactive' | 'password')[] {
  const order = option(config, 'preferredauthentications')?.split(',') ?? ['publickey', 'keyboard-interactive', 'password'];
  const batch = isOn(config, 'batchmode', false);
  const on = {
    publickey: !['no', 'false'].includes(option(config, 'pubkeyauthentication')?.toLowerCase() ?? 'yes'),
    'keyboard-interactive': isOn(config, 'kbdinteractiveauthentication', true) && !batch,
    password: isOn(config, 'passwordauthentication', true) && !batch,
  };
  return order.map((name) => name.trim()).filter((name): name is keyof typeof on => METHODS.has(name) && on[name as keyof typeof on]);
}
