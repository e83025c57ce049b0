import ipaddr from 'ipaddr.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for a server, as kubectl (Go's net/http) reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case:
 * loopback is never proxied; an entry of NO_PROXY is `*`, an address, a CIDR, a domain with its subdomains, or `.domain` for subdomains only, each with an optional port.
 * client-node 2.0.1 honours only a cluster's own `proxy-url`.
 */
export function proxyFromEnvironment(server: string, env: Environment): string | undefined {
  const url = new URL(server);
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = variable(env, name);
  if (proxy === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (isLoopback(host) || excluded(host, port, variable(env, 'NO_PROXY') ?? '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function variable(env: Environment, name: string): string | undefined {
  return [env[name], env[name.toLowerCase()]].find((value) => value !== undefined && value !== '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback');
}

function excluded(host: string, port: string, list: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(host, port, entry));
}

function matches(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true;
  if (ipaddr.isValidCIDR(entry)) return inRange(host, entry);
  if (ipaddr.isValid(entry)) return sameAddress(host, entry);
  const withPort = /^\[?([^\]]*)\]?:(\d+)$/.exec(entry);
  if (withPort !== null && withPort[2] !== port) return false;
  const name = (withPort?.[1] ?? entry).replace(/^\*(?=\.)/, '');
  if (ipaddr.isValid(name)) return sameAddress(host, name);
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function inRange(host: string, cidr: string): boolean {
  if (!ipaddr.isValid(host)) return false;
  const address = ipaddr.process(host);
  const [network, bits] = ipaddr.parseCIDR(cidr);
  return address.kind() === network.kind() && address.match(network, bits);
}

function sameAddress(host: string, address: string): boolean {
  return ipaddr.isValid(host) && ipaddr.process(host).toNormalizedString() === ipaddr.process(address).toNormalizedString();
}
