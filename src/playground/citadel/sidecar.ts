import { readEnv } from '../machine/files.ts';
import type { Machine } from '../machine/machine.ts';
import { purgeSidecar, unpackSidecar } from '../machine/packages.ts';
import type { Process } from '../machine/processes.ts';
import type { Sidecar } from '../machine/sidecar.ts';
import { NODE_AGENT, startIstio, startNodeAgent, type Outcome, type UnitContext } from '../machine/units.ts';

/** istio-sidecar of 1.0.3: pilot-agent with Envoy, and the node agent. */
export class CitadelSidecar implements Sidecar {
  readonly units: readonly string[] = ['istio', NODE_AGENT];
  readonly example = 'istio-sidecar-1.0.3.deb';
  #env: Readonly<Record<string, string>> = {};

  accepts(version: string): boolean {
    return /^1\.[0-4]\./.test(version);
  }

  unpack({ files }: Machine): void {
    unpackSidecar(files);
  }

  purge({ files }: Machine): void {
    purgeSidecar(files);
  }

  start(unit: string, machine: Machine): Outcome {
    if (unit === NODE_AGENT) return startNodeAgent(contextOf(machine));
    this.#env = {
      ...readEnv(machine.files.text('/var/lib/istio/envoy/sidecar.env')),
      ...readEnv(machine.files.text('/var/lib/istio/envoy/cluster.env')),
    };
    return startIstio(contextOf(machine));
  }

  // A process that died is started anew by systemd, and one that lives tries its peers again: the outcome follows the present.
  present(unit: string, machine: Machine, outcome: Outcome): Outcome {
    if (unit === NODE_AGENT || outcome.exits) return this.start(unit, machine);
    const now = startIstio(contextOf(machine));
    return now.exits ? outcome : now;
  }

  stop(): void {
    // Nothing outlives its processes.
  }

  processes(machine: Machine): readonly Process[] {
    const list: Process[] = [];
    if (machine.unitState(NODE_AGENT).active === 'active')
      list.push({
        user: 'istio-proxy',
        pid: machine.pid(NODE_AGENT),
        args: '/usr/local/bin/node_agent --ca-address istio-citadel:8060 --env onprem --cert-chain /etc/certs/cert-chain.pem --key /etc/certs/key.pem --root-cert /etc/certs/root-cert.pem',
      });
    if (machine.unitState('istio').active !== 'active') return list;
    const pid = machine.pid('istio');
    return [
      ...list,
      {
        user: 'root',
        pid,
        args: `su -s /bin/bash -c INSTANCE_IP=${machine.address} POD_NAME=${machine.name} exec /usr/local/bin/pilot-agent proxy > /var/log/istio/istio.log istio-proxy`,
      },
      {
        user: 'istio-proxy',
        pid: pid + 1,
        args: '/usr/local/bin/pilot-agent proxy --serviceCluster rawvm --discoveryAddress istio-pilot.istio-system:15011 --controlPlaneAuthPolicy MUTUAL_TLS',
      },
      {
        user: 'istio-proxy',
        pid: pid + 2,
        args: `/usr/local/bin/envoy -c /etc/istio/proxy/envoy-rev0.json --restart-epoch 0 --service-node sidecar~${machine.address}~${machine.name}.default~default.svc.cluster.local`,
      },
    ];
  }

  captures(machine: Machine): { readonly active: boolean; readonly cidrs: string } {
    return { active: machine.unitState('istio').active === 'active', cidrs: this.#env.ISTIO_SERVICE_CIDR ?? '' };
  }

  answersName(): undefined {
    return undefined;
  }

  answersPort(): undefined {
    return undefined;
  }

  dials(): 'refused' {
    return 'refused';
  }

  isTrustedBy(): boolean {
    return false;
  }

  identityHeaders(): Readonly<Record<string, string>> {
    return {};
  }

  changed(): void {
    // Its processes read their files when they are looked at.
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }
}

function contextOf(machine: Machine): UnitContext {
  return {
    files: machine.files,
    network: machine.network,
    now: machine.clock.now(),
    resolve: (name) => machine.resolve(name),
  };
}
