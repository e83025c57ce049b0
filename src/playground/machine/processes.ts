import type { Machine } from './machine.ts';

export interface Process {
  readonly user: string;
  readonly pid: number;
  readonly args: string;
}

export function processes(machine: Machine): readonly Process[] {
  const list: Process[] = [{ user: 'root', pid: 1, args: '/sbin/init' }];
  if (machine.unitState('dnsmasq').active === 'active')
    list.push({ user: 'dnsmasq', pid: machine.pid('dnsmasq'), args: '/usr/sbin/dnsmasq -x /run/dnsmasq/dnsmasq.pid' });
  for (const { name } of machine.applications())
    if (machine.unitState(name).active === 'active') list.push({ user: 'nobody', pid: machine.pid(name), args: `/usr/local/sbin/${name}` });
  return [...list, ...machine.sidecar.processes(machine)];
}
