import type { Check, VmScope } from '../era.ts';
import { message } from '../messages.ts';
import { meshCurl } from './meshCurl.ts';
import type { ReleaseFacts } from './releases.ts';
import { at, listAt, numberAt, textAt } from '../cluster/untrusted.ts';
import { failed, type Judgement } from '../host/verdicts.ts';

/** Pilot's registration endpoint: by key until 0.8, as a list since 1.0 (citadel facts 7, 10). */
function registrationPath(scope: VmScope, facts: ReleaseFacts): string {
  if (facts.registration.kind === 'list') return '/v1/registration';
  return `/v1/registration/${pilotHost(scope)}|${facts.registration.portName}`;
}

function pilotHost({ entry }: VmScope): string {
  return `istio-pilot.${entry.istio.namespace}.svc.${entry.clusterDomain}`;
}

/** Over the load balancer, by the name that the sidecar uses. */
export function registrationCheck(scope: VmScope, facts: ReleaseFacts): Check {
  const { namespace } = scope.entry.istio;
  const { port, secured } = facts.registration;
  const pilots = `kubectl --context ${scope.entry.context} -n ${namespace} get pods -l istio=pilot`;
  return meshCurl({
    id: 'pilot',
    url: `http://istio-pilot.${namespace}:${port}${registrationPath(scope, facts)}`,
    skipped: secured && scope.entry.istio.controlPlaneAuth !== 'NONE' ? message('citadel.check.pilot.secured', { port }) : undefined,
    ok: (body) => judgeRegistration(facts, body, pilots),
    why: message('citadel.check.pilot.why', { namespace }),
    next: message('citadel.check.pilot.next', { command: pilots }),
  });
}

/** A pod's own address from the machine: the real prerequisite of a mesh expansion (facts 7). */
export function podCheck(scope: VmScope, facts: ReleaseFacts, pod: string | undefined): Check {
  const { namespace } = scope.entry.istio;
  const address = pod?.includes(':') === true ? `[${pod}]` : (pod ?? '0.0.0.0');
  const { port, secured } = facts.registration;
  const pilots = `kubectl --context ${scope.entry.context} -n ${namespace} get endpoints istio-pilot`;
  const noPod = pod === undefined ? message('citadel.check.pod.none', { namespace }) : undefined;
  return meshCurl({
    id: 'pod',
    url: `http://${address}:${port}${registrationPath(scope, facts)}`,
    skipped:
      noPod ?? (secured && scope.entry.istio.controlPlaneAuth !== 'NONE' ? message('citadel.check.pilot.secured', { port }) : undefined),
    ok: () => message('citadel.check.pod.ok', { address }),
    why: message('citadel.check.pod.why', { address }),
    next: message('citadel.check.pod.next', { command: pilots }),
  });
}

/** Reads `{hosts}` for a key or the list of all; Pilot itself must have an endpoint. */
export function judgeRegistration(facts: ReleaseFacts, body: string, command: string): Judgement | ReturnType<typeof message> {
  const answer = parsed(body);
  if (facts.registration.kind === 'key') {
    const hosts = listAt(answer, 'hosts');
    if (hosts.length === 0)
      return failed(
        message('citadel.check.pilot.no-hosts'),
        message('citadel.check.pilot.no-hosts.why'),
        message('citadel.check.pilot.next', { command }),
      );
    return message('citadel.check.pilot.ok-key', { address: textAt(hosts[0], 'ip_address') ?? '', port: numberAt(hosts[0], 'port') ?? 0 });
  }
  if (!Array.isArray(answer))
    return failed(message('citadel.check.pilot.not-a-list'), undefined, message('citadel.check.pilot.next', { command }));
  const services = answer.filter((one) => at(one, 'service-key') !== undefined);
  const served = services.filter((one) => listAt(one, 'hosts').length > 0);
  if (served.length === 0)
    return failed(
      message('citadel.check.pilot.no-hosts'),
      message('citadel.check.pilot.no-hosts.why'),
      message('citadel.check.pilot.next', { command }),
    );
  return message('citadel.check.pilot.ok', { services: services.length, served: served.length });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
