import type { VmScope } from '../era.ts';
import type { MeshError } from '../errors.ts';
import { clockProblem } from '../host/preflight.ts';
import { message } from '../messages.ts';
import type { StepDetail } from '../plan.ts';
import type { HostFacts, HostState } from '../ports.ts';
import { problem } from '../problem.ts';
import { lackingName } from './customHost.ts';
import { calledByHostname } from './gatewayAddress.ts';

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

export function preflightNotes(scope: VmScope, { facts }: HostState): readonly StepDetail[] {
  const hostname = lackingName(scope);
  const local = facts === undefined || scope.vm.captureDns === false ? undefined : localResolver(facts);
  return [
    ...(hostname === undefined ? [] : [message('istiod.custom-host.lacking', { hostname })]),
    ...(local === undefined ? [] : [local]),
  ].map((text) => ({ kind: 'note', text }));
}

/**
 * With DNS capture, what goes to the servers of /etc/resolv.conf goes to the agent (istiod facts 2.5). A resolver of the machine's own stands before it: what
 * asks it without DNS (nss-resolve) or has an answer in its cache never reaches the agent.
 */
function localResolver({ port53 }: HostFacts): ReturnType<typeof message> | undefined {
  const local = port53.find(({ address }) => /^(127\.|\[?::1|0\.0\.0\.0|\*|\[?::\]?$)/.test(address));
  if (local === undefined) return undefined;
  const id = local.process === 'systemd-resolve' || local.process === 'systemd-resolved' ? 'istiod.dns.resolved' : 'istiod.dns.local';
  return message(id, { process: local.process, address: local.address });
}
