import type { VmScope } from '../era.ts';
import type { MeshError } from '../errors.ts';
import { clockProblem } from '../host/preflight.ts';
import { message, type Message } from '../messages.ts';
import type { StepDetail } from '../plan.ts';
import type { HostState } from '../ports.ts';
import { problem } from '../problem.ts';
import { lackingName } from './customHost.ts';
import { calledByHostname } from './gatewayAddress.ts';
import { isLoopback, nameLookupOf, processAt } from './nameLookup.ts';

/** Whether a machine can run this sidecar at all, and what its owner should know first (istiod facts 2.1, 2.5). */

/** What istiod's certificates count before they are signed, for clocks that are behind, and the agent's default life after it (istiod facts 2.4). */
const CLOCK_GRACE_MS = 2 * 60_000;
const CERTIFICATE_LIFE_MS = 24 * 3_600_000;

/** No package for the system, or a clock by which a certificate signed now would not count. */
export function obstacle(scope: VmScope, state: HostState): MeshError | undefined {
  const { facts } = state;
  if (facts === undefined) return undefined;
  const { id, version, packages } = facts.os;
  if (packages === undefined) return problem('istiod.os-unsupported', { host: scope.vm.host, os: `${id} ${version}`.trim() });
  const hostname = calledByHostname(scope.entry, scope.controlPlane);
  if (hostname !== undefined && state.resolved?.[hostname]?.length === 0)
    return problem('istiod.gateway-name-unknown', { hostname, vm: scope.vm.name }, { field: 'ingress.hostname' });
  const now = scope.ports.clock.now().getTime();
  const iso = (time: number): string => new Date(time).toISOString();
  return clockProblem(scope, state, { notBefore: iso(now - CLOCK_GRACE_MS), notAfter: iso(now + CERTIFICATE_LIFE_MS) });
}

export function preflightNotes(scope: VmScope, state: HostState): readonly StepDetail[] {
  const hostname = lackingName(scope);
  const texts = [...(hostname === undefined ? [] : [message('istiod.custom-host.lacking', { hostname })]), ...nameNotes(scope, state)];
  return texts.map((text) => ({ kind: 'note', text }));
}

/** What becomes of the names that the machine looks up; what else may go wrong with them is a finding (lint/istiodHost.ts). */
function nameNotes({ vm, entry }: VmScope, state: HostState): readonly Message[] {
  const lookup = nameLookupOf(state);
  if (lookup === undefined) return [];
  if (vm.captureDns === false) return [message('istiod.dns.off', { domain: entry.clusterDomain })];
  const { servers, pastDns } = lookup;
  const server = servers.find(isLoopback);
  return [
    ...(server === undefined ? [] : [message('istiod.dns.local', { server, process: processAt(state, server) })]),
    ...(servers.length === 0 ? [message('lint.istiod.dns-no-server', { vm: vm.name })] : []),
    ...(pastDns ? [message('lint.istiod.dns-past', { vm: vm.name })] : []),
  ];
}
