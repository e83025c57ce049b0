import type { MeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { ReadinessProbe, WorkloadGroup } from '../model.ts';
import { isAddress, isDnsLabel, isDnsSubdomain, isLabelValue, isPlainText, isPort, isQualifiedName } from '../names.ts';
import { problem } from '../problem.ts';
import { normalized, parseYaml } from './protoJson.ts';
import { proxyConfigShape } from './protoShapes.ts';
import { PROXY_CONFIG_ANNOTATION } from './proxyConfig.ts';

/** Rules of a WorkloadGroup's fields (istiod facts 3.5), so that a wrong one is named before the cluster is asked. */

const PORT_LIMIT = 128;
const WEIGHT_LIMIT = 2 ** 32 - 1;
const SECONDS_LIMIT = 2 ** 31 - 1;

/** Throws `group.invalid` with the field. */
export function checkGroup(group: WorkloadGroup): void {
  check('name', group.name, 'dns-subdomain', isDnsSubdomain);
  check('namespace', group.namespace, 'dns-label', isDnsLabel);
  check('serviceAccount', group.serviceAccount, 'dns-subdomain', isDnsSubdomain);
  for (const [key, value] of Object.entries(group.labels)) {
    check(`labels.${key}`, key, 'key', isQualifiedName);
    check(`labels.${key}`, value, 'label', isLabelValue);
  }
  for (const [key, value] of Object.entries(group.annotations)) {
    check(`annotations.${key}`, key, 'key', isQualifiedName);
    if (key === PROXY_CONFIG_ANNOTATION) {
      const place = { object: `${group.namespace}/${group.name}`, path: `annotations.${key}` };
      normalized(parseYaml(value, place), proxyConfigShape, place);
    }
  }
  checkPorts(group.ports);
  if (group.network !== undefined) check('network', group.network, 'label', (value) => value !== '' && isLabelValue(value));
  if (group.locality !== undefined)
    check('locality', group.locality, 'locality', (value) => isPlainText(value) && /^[^/]+(\/[^/]+){0,2}$/.test(value));
  if (group.weight !== undefined) checkNumber('weight', group.weight, 1, WEIGHT_LIMIT);
  if (group.probe !== undefined) checkProbe(group.probe);
}

function checkPorts(ports: WorkloadGroup['ports']): void {
  const all = Object.entries(ports);
  if (all.length > PORT_LIMIT) throw invalid('ports', String(all.length), 'many', { limit: PORT_LIMIT });
  for (const [name, port] of all) {
    check(`ports.${name}`, name, 'dns-label', isDnsLabel);
    checkPort(`ports.${name}`, port);
  }
}

function checkProbe({ handler, ...times }: ReadinessProbe): void {
  for (const [name, seconds] of Object.entries(times)) checkNumber(`probe.${name}`, seconds, 0, SECONDS_LIMIT);
  const at = `probe.${handler.kind}`;
  if (handler.kind === 'exec') {
    if (handler.command.length === 0 || handler.command.includes('')) throw invalid(`${at}.command`, '', 'empty');
    return;
  }
  checkPort(`${at}.port`, handler.port);
  if (handler.kind === 'grpc') return;
  if (handler.host !== undefined) check(`${at}.host`, handler.host, 'host', (value) => isAddress(value) || isDnsSubdomain(value));
  if (handler.kind !== 'httpGet') return;
  if (handler.path !== undefined) check(`${at}.path`, handler.path, 'path', (value) => isPlainText(value) && value.startsWith('/'));
  for (const header of handler.httpHeaders ?? []) {
    check(`${at}.httpHeaders`, header.name, 'header', (value) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value));
    check(`${at}.httpHeaders`, header.value, 'text', (value) => value === '' || isPlainText(value));
  }
}

function check(field: string, value: string, rule: string, keeps: (value: string) => boolean): void {
  if (!keeps(value)) throw invalid(field, value, rule);
}

function checkPort(field: string, port: number): void {
  if (!isPort(port)) throw invalid(field, String(port), 'port');
}

function checkNumber(field: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to) throw invalid(field, String(value), 'number', { from, to });
}

function invalid(field: string, value: string, rule: string, args: Readonly<Record<string, number>> = {}): MeshError {
  const all = { field, value, ...args };
  return problem('group.invalid', all, {
    id: `istiod.group.${rule}`,
    kind: 'bad-input',
    field,
    next: message('istiod.group.next', { field }),
  });
}
