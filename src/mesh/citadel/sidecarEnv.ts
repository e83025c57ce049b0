import ipaddr from 'ipaddr.js';
import type { ControlPlaneAuth, GeneratedFile, ValueSource, VmEntry } from '../model.ts';
import { isPort } from '../names.ts';
import { assignments, withVariables } from '../host/envFile.ts';
import { problem } from '../problem.ts';
import type { ReleaseFacts } from './releases.ts';

export const SIDECAR_ENV = '/var/lib/istio/envoy/sidecar.env';
export const INBOUND_PORTS = 'ISTIO_INBOUND_PORTS';

export interface SidecarEnvInput {
  readonly vm: Pick<VmEntry, 'namespace' | 'inboundPorts'>;
  /** The VM's own address; undefined offline, and then ISTIO_SVC_IP is not written. */
  readonly address: ValueSource | undefined;
  readonly auth: ControlPlaneAuth;
  /** Text on the VM that is merged into; undefined where there is none or the VM was not asked. */
  readonly onHost: string | undefined;
}

/**
 * Variables of sidecar.env that this project sets (citadel facts 4). ISTIO_SVC_IP because the scripts' guess is often 127.0.1.1 or another interface;
 * ISTIO_PILOT_PORT only where the default does not fit the authentication.
 * Throws `citadel.ports-invalid`, `citadel.ipv6`.
 */
export function sidecarVariables(facts: ReleaseFacts, input: Omit<SidecarEnvInput, 'onHost'>): ReadonlyMap<string, ValueSource> {
  const variables = new Map<string, ValueSource>();
  const { inboundPorts } = input.vm;
  if (inboundPorts !== undefined)
    variables.set(INBOUND_PORTS, { value: portList(inboundPorts), from: { kind: 'inventory', field: 'inboundPorts' } });
  variables.set(facts.namespaceVariable, { value: input.vm.namespace, from: { kind: 'inventory', field: 'namespace' } });
  if (input.address !== undefined) {
    const { value } = input.address;
    if (!ipaddr.IPv4.isValidFourPartDecimal(value))
      throw problem('citadel.ipv6', { value, field: 'address' }, { kind: 'bad-input', field: 'address' });
    variables.set('ISTIO_SVC_IP', input.address);
  }
  const port = facts.pilotPortFor[input.auth];
  if (port !== undefined) variables.set('ISTIO_PILOT_PORT', { value: String(port), from: { kind: 'rule', facts: 'citadel facts 4' } });
  return variables;
}

/** sidecar.env: our variables merged into what is on the VM, never instead of it (citadel facts 4: the guide's `echo ... >` truncates). */
export function sidecarEnvFile(facts: ReleaseFacts, input: SidecarEnvInput): GeneratedFile {
  const variables = sidecarVariables(facts, input);
  const text = withVariables(input.onHost ?? '', new Map([...variables].map(([name, { value }]) => [name, value])));
  const byLine = new Map(assignments(text).map((one) => [one.line, variables.get(one.variable)]));
  return {
    path: SIDECAR_ENV,
    mode: 0o644,
    owner: 'istio-proxy',
    group: 'root',
    content: {
      kind: 'text',
      text,
      sources: text
        .split('\n')
        .slice(0, -1)
        .map((content, line): readonly ValueSource[] => {
          const source = byLine.get(line);
          return [source ?? { value: content, from: { kind: 'host', field: SIDECAR_ENV } }];
        }),
    },
    readBy: [facts.units.sidecar, facts.units.nodeAgent],
    // An edit made before the package put its own text there would lose that text.
    editable: input.onHost !== undefined,
  };
}

/** `3306,8080` or `*`. Throws `citadel.ports-invalid` (bad-input), which names the port. */
export function portList(ports: readonly number[] | '*'): string {
  if (ports === '*') return '*';
  for (const port of ports) {
    if (!isPort(port)) throw problem('citadel.ports-invalid', { port }, { kind: 'bad-input', field: 'inboundPorts' });
  }
  return [...new Set(ports)].join(',');
}
