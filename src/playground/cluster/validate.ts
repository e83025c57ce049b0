import { isIP, isIPv4 } from 'node:net';
import type { KubeObject } from '../../mesh/ports.ts';
import { serviceSpecOf, subsetsOf } from './shapes.ts';
import { istioProblem } from './validateIstio.ts';

/** The API server's refusals that a user of the playground can run into, in its own words: field and rule. */
export function problemOf(object: KubeObject): string | undefined {
  const { name } = object.metadata;
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    return `metadata.name: Invalid value: ${JSON.stringify(name)}: must be a lower case RFC 1123 name`;
  if (object.kind === 'Service') return serviceProblem(object);
  if (object.kind === 'Endpoints') return endpointsProblem(object);
  return istioProblem(object);
}

function serviceProblem(object: KubeObject): string | undefined {
  const { ports, clusterIP } = serviceSpecOf(object);
  if (!/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(object.metadata.name))
    return `metadata.name: Invalid value: ${JSON.stringify(object.metadata.name)}: must be a DNS-1035 label`;
  if (ports.length === 0) return 'spec.ports: Required value';
  if (clusterIP !== undefined && clusterIP !== 'None' && clusterIP !== '' && !isIPv4(clusterIP))
    return `spec.clusterIPs[0]: Invalid value: ${JSON.stringify(clusterIP)}: must be a valid IP`;
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, port] of ports.entries()) {
    if (!Number.isInteger(port.port) || port.port < 1 || port.port > 65535)
      return `spec.ports[${index}].port: Invalid value: ${port.port}: must be between 1 and 65535, inclusive`;
    if (ports.length > 1 && !port.name) return `spec.ports[${index}].name: Required value`;
    if (port.name !== undefined && names.has(port.name)) return `spec.ports[${index}].name: Duplicate value: ${JSON.stringify(port.name)}`;
    if (numbers.has(`${port.port}/${port.protocol}`)) return `spec.ports[${index}]: Duplicate value: ${port.port}/${port.protocol}`;
    if (port.name !== undefined) names.add(port.name);
    numbers.add(`${port.port}/${port.protocol}`);
  }
  return undefined;
}

function endpointsProblem(object: KubeObject): string | undefined {
  for (const [index, subset] of subsetsOf(object).entries()) {
    for (const [at, { ip }] of subset.addresses.entries()) {
      const field = `subsets[${index}].addresses[${at}].ip: Invalid value: ${JSON.stringify(ip)}`;
      if (isIP(ip) === 0) return `${field}: must be a valid IP address`;
      if (/^(127\.|169\.254\.|0\.0\.0\.0$|::1?$)/.test(ip)) return `${field}: may not be in the loopback, link-local or unspecified range`;
    }
  }
  return undefined;
}
