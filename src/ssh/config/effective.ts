import { hostname, userInfo } from 'node:os';
import { checkAlias } from '../words.ts';
import { computeWithoutSsh } from './fallback.ts';
import { askOpenSsh } from './openSsh.ts';

/** The options of one destination as OpenSSH would use them: lower-case keyword to its lines, in order. */
export interface EffectiveConfig {
  /** What was asked for; shown to people. */
  readonly alias: string;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** `ssh`: from `ssh -G`; `parser`: without an OpenSSH client, Match exec not run. */
  readonly source: 'ssh' | 'parser';
}

export interface ConfigQuery {
  /** Replaces ~/.ssh/config and the system's file, as `ssh -F`. */
  readonly configFile?: string;
  readonly signal?: AbortSignal;
  /** Overrides of a ProxyJump hop: `user@host:port`. */
  readonly user?: string;
  readonly port?: number;
}

/** Effective configuration by `ssh -G`, else by the parser. Throws `host.name`, `host.config` (ssh's own words), `cancelled`. */
export async function effectiveConfig(alias: string, query: ConfigQuery = {}): Promise<EffectiveConfig> {
  checkAlias(alias);
  const text = await askOpenSsh(alias, query);
  const options = text === undefined ? await computeWithoutSsh(alias, query.configFile) : parseOptions(text);
  return fromOptions(alias, options, text === undefined ? 'parser' : 'ssh', query);
}

/** The value of a keyword's first line; undefined when it is not set or is `none`. */
export function option(config: Pick<EffectiveConfig, 'options'>, keyword: string): string | undefined {
  const value = config.options.get(keyword)?.[0];
  return value === undefined || value === '' || value.toLowerCase() === 'none' ? undefined : value;
}

/** `yes`, `true` and the like; OpenSSH prints both. */
export function isOn(config: Pick<EffectiveConfig, 'options'>, keyword: string, byDefault: boolean): boolean {
  const value = config.options.get(keyword)?.[0]?.toLowerCase();
  return value === undefined ? byDefault : value === 'yes' || value === 'true';
}

/** A number of at least `least`; the default where it is not set, `none` or not a number. */
export function numberOf(config: Pick<EffectiveConfig, 'options'>, keyword: string, byDefault: number, least = 0): number {
  const value = option(config, keyword);
  return value !== undefined && /^\d+$/.test(value) ? Math.max(Number(value), least) : byDefault;
}

/** `keyword value` lines of `ssh -G`. */
export function parseOptions(text: string): Map<string, readonly string[]> {
  const options = new Map<string, readonly string[]>();
  for (const line of text.split(/\r?\n/)) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const keyword = line.slice(0, space).toLowerCase();
    options.set(keyword, [...(options.get(keyword) ?? []), line.slice(space + 1).trim()]);
  }
  return options;
}

function fromOptions(
  alias: string,
  options: ReadonlyMap<string, readonly string[]>,
  source: 'ssh' | 'parser',
  query: ConfigQuery,
): EffectiveConfig {
  const at = alias.lastIndexOf('@');
  const first = (keyword: string): string | undefined => options.get(keyword)?.[0];
  return {
    alias,
    hostName: first('hostname') ?? alias.slice(at + 1),
    port: query.port ?? Number(first('port') ?? 22),
    user: query.user ?? first('user') ?? (at > 0 ? alias.slice(0, at) : userInfo().username),
    options,
    source,
  };
}

/** Names of this computer, for the tokens of option values. */
export function localNames(): { readonly full: string; readonly short: string } {
  const full = hostname();
  return { full, short: full.split('.')[0] ?? full };
}
