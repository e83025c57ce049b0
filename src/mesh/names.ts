import ipaddr from 'ipaddr.js';

/** Rules for names and values that come from people, clusters and machines (design: Hostile names). Each answers whether the value keeps the rule. */

/** Kubernetes DNS-1123 label: namespaces, port names. */
export function isDnsLabel(value: string): boolean {
  return value.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value);
}

/** Kubernetes DNS-1123 subdomain: service accounts, workload groups, domains. */
export function isDnsSubdomain(value: string): boolean {
  return value.length <= 253 && value.split('.').every(isDnsLabel);
}

/** Name of a Service: a DNS-1035 label, which a DNS-1123 label becomes by beginning with a letter. */
export function isServiceName(value: string): boolean {
  return isDnsLabel(value) && /^[a-z]/.test(value);
}

/** NAME or NAME.NAMESPACE. */
export function isServiceReference(value: string): boolean {
  const [name = '', namespace, ...rest] = value.split('.');
  return isServiceName(name) && rest.length === 0 && (namespace === undefined || isDnsLabel(namespace));
}

/**
 * SSH host alias and VM name: letters, digits and `. _ - @ : +`, beginning with a letter, a digit or `_`.
 * So it can be no option (`ssh -G -oProxyCommand=x` runs x), no path, and nothing that a shell reads.
 */
export function isHostAlias(value: string): boolean {
  return value.length <= 253 && /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._@:+-]*$/u.test(value) && !value.includes('..');
}

/** Cluster name and kubeconfig context: they hold `/` and `:` on EKS and OpenShift. No control character, no blank at an end, no leading `-`. */
export function isClusterName(value: string): boolean {
  return (
    value !== '' && value.length <= 512 && value === value.trim() && !value.startsWith('-') && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
  );
}

/** A value that is one line of text without control characters. */
export function isPlainText(value: string): boolean {
  return value !== '' && value.length <= 1024 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value);
}

/** Istio release: `1.0.3`, `1.4`, `0.8.0-rc.1`, `1.1.0.snapshot.5`. */
export function isRelease(value: string): boolean {
  return /^\d{1,3}\.\d{1,3}(\.\d{1,4})?(([-+_]|\.(?=[A-Za-z]))[\w.-]{1,64})?$/.test(value);
}

/** IPv4 in four decimal parts or IPv6 without a zone. */
export function isAddress(value: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(value) || (!value.includes('%') && ipaddr.IPv6.isValid(value));
}

/** An address that another machine can reach: not loopback, link-local, multicast, unspecified or broadcast (Kubernetes refuses those in Endpoints). */
export function isMachineAddress(value: string): boolean {
  if (!isAddress(value)) return false;
  return !['loopback', 'linkLocal', 'multicast', 'unspecified', 'broadcast'].includes(ipaddr.process(value).range());
}

/** CIDR of either family, IPv4 in four decimal parts. */
export function isCidr(value: string): boolean {
  const [address = '', bits = '', ...rest] = value.split('/');
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && isAddress(address) && ipaddr.isValidCIDR(value);
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** Key of a label or annotation: an optional DNS subdomain and `/`, then at most 63 of `A-Z a-z 0-9 - _ .`. */
export function isQualifiedName(value: string): boolean {
  const parts = value.split('/');
  if (parts.length > 2) return false;
  const name = parts.at(-1) ?? '';
  const prefixFine = parts.length === 1 || isDnsSubdomain(parts[0] ?? '');
  return prefixFine && name.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name);
}

export function isLabelValue(value: string): boolean {
  return value === '' || (value.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value));
}

/** Folders of a VM that generated files live in. A path outside them is never written, whoever names it. */
export const allowedRoots: readonly string[] = [
  '/etc',
  '/var/lib/istio',
  '/var/run/secrets',
  '/run/secrets',
  '/usr/local',
  '/lib/systemd/system',
];

/** Absolute, normalized POSIX path below an allowed root: no `..`, no empty part, no control character, no backslash. */
export function isHostPath(value: string, roots: readonly string[] = allowedRoots): boolean {
  if (!/^\/[^\\\p{Cc}]+$/u.test(value) || value.length > 1024) return false;
  if (
    value
      .slice(1)
      .split('/')
      .some((part) => part === '' || part === '.' || part === '..')
  )
    return false;
  return roots.some((root) => value.startsWith(`${root}/`));
}
