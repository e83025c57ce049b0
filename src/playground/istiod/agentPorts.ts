import type { HttpAnswer } from '../machine/http.ts';
import type { Machine } from '../machine/machine.ts';
import type { Identity } from './controlPlane.ts';

export interface AgentState {
  readonly ready: boolean;
  readonly healthy: boolean;
  readonly identity: Identity | undefined;
}

/** Ports of the agent and of Envoy (istiod facts 2.5): readiness, status, Envoy's own pages. Undefined for any other port. */
export function agentAnswer(machine: Machine, state: AgentState, port: number, url: URL): HttpAnswer | undefined {
  const answer = (status: number, body = ''): HttpAnswer => ({
    kind: 'answer',
    status,
    body,
    throughEnvoy: port === 15000 || port === 15090,
  });
  switch (port) {
    case 15021:
    case 15020:
      if (url.pathname === '/healthz/ready') return state.ready ? answer(200) : answer(503, 'not ready');
      return answer(404, '404 page not found\n');
    case 15000:
      return envoyPage(machine, state, url, answer);
    case 15090:
      return url.pathname === '/stats/prometheus' ? answer(200, '') : answer(404);
    default:
      return undefined;
  }
}

function envoyPage(machine: Machine, state: AgentState, url: URL, answer: (status: number, body?: string) => HttpAnswer): HttpAnswer {
  const updates = state.ready ? 1 : 0;
  const stats = [
    `cluster_manager.cds.update_rejected: 0`,
    `cluster_manager.cds.update_success: ${updates}`,
    `control_plane.connected_state: ${updates}`,
    `listener_manager.lds.update_rejected: 0`,
    `listener_manager.lds.update_success: ${updates}`,
  ];
  switch (url.pathname) {
    case '/ready':
      return state.ready ? answer(200, 'LIVE\n') : answer(503, 'INITIALIZING\n');
    case '/stats': {
      const filter = url.searchParams.get('filter');
      const pattern = filter === null ? /(?:)/ : new RegExp(filter);
      return answer(
        200,
        stats
          .filter((line) => pattern.test(line))
          .map((line) => `${line}\n`)
          .join(''),
      );
    }
    case '/server_info':
      return answer(
        200,
        `${JSON.stringify({ state: state.ready ? 'LIVE' : 'INITIALIZING', node: { id: `sidecar~${machine.address}~${machine.name}` } })}\n`,
      );
    case '/config_dump': {
      const listeners = ['virtualOutbound', 'virtualInbound', '0.0.0.0_9080'].map((name) => ({ name }));
      return answer(200, `${JSON.stringify({ configs: state.ready ? listeners : [] }, undefined, 1)}\n`);
    }
    case '/certs':
      return answer(200, '{}\n');
    default:
      return answer(404, 'invalid path. admin commands are:\n');
  }
}
