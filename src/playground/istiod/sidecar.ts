import type { HttpAnswer } from '../machine/http.ts';
import type { Machine } from '../machine/machine.ts';
import type { Process } from '../machine/processes.ts';
import type { Sidecar } from '../machine/sidecar.ts';
import type { Outcome } from '../machine/units.ts';
import type { Work } from '../work.ts';
import { agentAnswer } from './agentPorts.ts';
import type { ControlPlane, Identity } from './controlPlane.ts';
import { authenticate, keepCertificate, renewsNow } from './credentials.ts';
import type { Reach } from './exposure.ts';
import { readNode, type ProxyNode } from './node.ts';
import { purgePackage, unpackPackage } from './package.ts';
import { probeProblem } from './probe.ts';

const UNIT = 'istio';
const ROOT = '/etc/certs/root-cert.pem';
const LOG = '/var/log/istio/istio.log';
const CONNECT_MS = 700;
const READY_MS = 1500;
const PROBE_MS = 1500;
const RETRY_MS = 3000;
/** A stream is ended and begun again, so that connectedAt does not grow old (istiod facts 3.4). */
const STREAM_MS = 25 * 60_000;

/** One start of the agent. */
interface Run {
  readonly node: ProxyNode;
  identity?: Identity;
  connected: boolean;
  ready: boolean;
  triedAt: number;
  streamAt: number;
  health?: boolean;
}

/** istio-sidecar of Istio 1.8 and later: pilot-agent with Envoy, DNS and capture. */
export class IstiodSidecar implements Sidecar {
  readonly units: readonly string[] = [UNIT];
  readonly example = 'istio-sidecar-1.31.0.deb';
  readonly #controlPlane: ControlPlane;
  readonly #work: Work;
  /** False where time goes on by itself: nothing is repeated for ever then. */
  readonly #live: boolean;
  #run: Run | undefined;

  constructor(controlPlane: ControlPlane, work: Work, live: boolean) {
    this.#controlPlane = controlPlane;
    this.#work = work;
    this.#live = live;
  }

  accepts(version: string): boolean {
    return /^1\.([89]|[1-9]\d)\./.test(version);
  }

  unpack({ files }: Machine): void {
    unpackPackage(files);
  }

  purge({ files }: Machine): void {
    purgePackage(files);
  }

  start(_unit: string, machine: Machine): Outcome {
    if (machine.files.text(ROOT) === undefined) {
      const why = `error\tfailed to find root CA cert for XDS: root CA file for XDS does not exist .${ROOT}`;
      log(machine, [why]);
      return { exits: true, log: [why] };
    }
    const run: Run = { node: readNode(machine), connected: false, ready: false, triedAt: 0, streamAt: 0 };
    this.#run = run;
    log(machine, [
      `info\tProxy role\tips=[${run.node.address}] type=sidecar id=${machine.name}.${run.node.namespace} domain=${run.node.namespace}.svc.cluster.local`,
      `info\tCA Endpoint ${run.node.authority}, provider Citadel`,
      `info\txdsproxy\tInitializing with upstream address "${run.node.discovery}" and cluster "Kubernetes"`,
    ]);
    this.#work.after(CONNECT_MS, () => this.#connect(machine, run));
    return { exits: false, log: [] };
  }

  present(unit: string, machine: Machine, outcome: Outcome): Outcome {
    return outcome.exits ? this.start(unit, machine) : outcome;
  }

  stop(_unit: string, machine: Machine): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    log(machine, ['info\tAgent has successfully terminated']);
    if (run.connected) this.#controlPlane.disconnect(run.node);
  }

  processes(machine: Machine): readonly Process[] {
    if (this.#run === undefined) return [];
    const pid = machine.pid(UNIT);
    return [
      { user: 'root', pid, args: '/bin/bash /usr/local/bin/istio-start.sh' },
      { user: 'istio-proxy', pid: pid + 1, args: '/usr/local/bin/pilot-agent proxy' },
      { user: 'istio-proxy', pid: pid + 2, args: '/usr/local/bin/envoy -c etc/istio/proxy/envoy-rev.json --drain-time-s 45' },
    ];
  }

  captures(): { readonly active: boolean; readonly cidrs: string; readonly dns: boolean } {
    return { active: this.#run !== undefined, cidrs: '*', dns: this.#run?.node.capturesDns === true };
  }

  answersName(_machine: Machine, name: string): string | undefined {
    const run = this.#run;
    return run?.ready === true && run.node.capturesDns ? this.#controlPlane.serviceAddress(name, run.node.namespace) : undefined;
  }

  answersPort(machine: Machine, port: number, url: URL): HttpAnswer | undefined {
    const run = this.#run;
    return run && agentAnswer(machine, { ready: run.ready, healthy: run.health !== false, identity: run.identity }, port, url);
  }

  dials(address: string, port: number, serverName: string): Reach {
    return this.#controlPlane.reach(address, port, serverName);
  }

  isTrustedBy(root: string): boolean {
    return this.#controlPlane.isTrustedBy(root);
  }

  identityHeaders(_machine: Machine, callee: Machine): Readonly<Record<string, string>> {
    const from = this.#run?.identity;
    const to = callee.sidecar instanceof IstiodSidecar ? callee.sidecar.#run?.identity : undefined;
    return from === undefined || to === undefined ? {} : { 'x-forwarded-client-cert': `By=${spiffe(to)};URI=${spiffe(from)}` };
  }

  changed(machine: Machine): void {
    const run = this.#run;
    if (run === undefined) return;
    if (run.ready) this.#probe(machine, run);
    else if (!run.connected) this.#work.now(() => this.#connect(machine, run));
  }

  /** Everything that waits for a change of the cluster is tried again when somebody looks. */
  async settle(machine: Machine): Promise<void> {
    const run = this.#run;
    const now = machine.clock.now().getTime();
    if (run?.connected === false && now - run.triedAt > RETRY_MS && run.triedAt > 0) this.#work.now(() => this.#connect(machine, run));
    else if (run?.connected === true && renewsNow(machine)) this.#work.now(() => this.#renew(machine, run));
    else if (run?.ready === true) this.#probe(machine, run);
    if (!this.#live && run?.connected === true && now - run.streamAt > STREAM_MS) this.#reconnect(machine, run);
    await this.#work.settled();
  }

  async #connect(machine: Machine, run: Run): Promise<void> {
    if (this.#run !== run || run.connected) return;
    run.triedAt = machine.clock.now().getTime();
    const refusal = await this.#refusal(machine, run);
    if (this.#run !== run) return;
    if (refusal !== undefined) {
      log(machine, [refusal]);
      return;
    }
    run.connected = true;
    run.streamAt = machine.clock.now().getTime();
    log(machine, [`info\txdsproxy\tconnected to delta upstream XDS server: ${run.node.discovery}\tid=1`]);
    this.#work.after(READY_MS, () => this.#becomeReady(machine, run));
    if (this.#live) this.#work.after(STREAM_MS, () => this.#reconnect(machine, run));
  }

  /** The line of the log that says what is in the way of a certificate and a stream; undefined where both are there. */
  async #refusal(machine: Machine, run: Run): Promise<string | undefined> {
    const { node } = run;
    for (const place of [node.authority, node.discovery]) {
      const unreachable = this.#unreachable(machine, place);
      if (unreachable !== undefined)
        return `warn\tca\tca request failed: create certificate: rpc error: code = Unavailable desc = ${unreachable}`;
    }
    const { log: told, identity, wantsCertificate } = authenticate(machine, this.#controlPlane);
    log(machine, told);
    if (identity === undefined) return `warn\txdsproxy\tfailed to connect to upstream ${node.discovery}: no valid credential`;
    if (wantsCertificate) await this.#certify(machine, identity);
    const refused = this.#controlPlane.connect(node, identity);
    if (refused !== undefined) return `warn\txdsproxy\tupstream [1] terminated with unexpected error ${refused}`;
    run.identity = identity;
    return undefined;
  }

  #unreachable(machine: Machine, place: string): string | undefined {
    const [host = '', port = '15012'] = place.split(':');
    const dialing = (why: string): string => `connection error: desc = "transport: Error while dialing: dial tcp${why}"`;
    const found = /^[\d.]+$/.test(host) ? { kind: 'address' as const, address: host, server: '' } : machine.lookUp(host);
    if (found.kind !== 'address') return dialing(`: lookup ${host} on ${found.server}:53: no such host`);
    const end = this.#controlPlane.reach(found.address, Number(port), host);
    if (end !== 'istiod') return dialing(` ${found.address}:${port}: ${end === 'timeout' ? 'i/o timeout' : 'connect: connection refused'}`);
    if (this.#controlPlane.isTrustedBy(machine.files.text(ROOT) ?? '')) return undefined;
    return 'connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"';
  }

  async #certify(machine: Machine, identity: Identity): Promise<void> {
    keepCertificate(machine, await this.#controlPlane.sign(identity));
    log(machine, ['info\tcache\tgenerated new workload certificate\tresourceName=default ttl=23h59m59s']);
  }

  async #renew(machine: Machine, run: Run): Promise<void> {
    // Nobody looked at half of its life: it was renewed then.
    if (this.#run === run && run.identity !== undefined) await this.#certify(machine, run.identity);
  }

  #becomeReady(machine: Machine, run: Run): void {
    if (this.#run !== run) return;
    run.ready = true;
    log(machine, ['info\tReadiness succeeded in 2.2s']);
    this.#work.after(PROBE_MS, () => this.#probe(machine, run));
  }

  #probe(machine: Machine, run: Run): void {
    if (this.#run !== run || run.node.probe === undefined) return;
    const problem = probeProblem(machine, run.node.probe);
    run.health = problem === undefined;
    this.#controlPlane.health(run.node, run.health, problem);
  }

  #reconnect(machine: Machine, run: Run): void {
    if (this.#run !== run || run.identity === undefined) return;
    run.streamAt = machine.clock.now().getTime();
    this.#controlPlane.connect(run.node, run.identity);
    if (this.#live) this.#work.after(STREAM_MS, () => this.#reconnect(machine, run));
  }
}

function spiffe({ namespace, account }: Identity): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}

function log(machine: Machine, lines: readonly string[]): void {
  const time = machine.clock.now().toISOString();
  machine.files.append(LOG, lines.map((line) => `${time}\t${line}\n`).join(''), 'istio-proxy');
}
