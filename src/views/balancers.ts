import type { LoadBalancer, LoadBalancerState } from '../mesh/model.ts';

/** The state as it counts for VMs: with a host name that is as good as an address, a balancer is ready. */
export function servingState({ state, byHostname }: LoadBalancer): LoadBalancerState {
  return state === 'hostname' && byHostname === true ? 'ready' : state;
}
