// The checks of the istiod era on a real machine: all of them pass where it is joined, and each is seen to fail, for the right reason, where it was broken for it.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';
import { runChecks } from '../../../src/mesh/checkRunner.ts';
import type { VmScope } from '../../../src/mesh/era.ts';
import { istiod } from '../../../src/mesh/istiod/era.ts';
import type { MeshPorts } from '../../../src/mesh/mesh.ts';
import type { CheckResult, ClusterEntry, VmEntry } from '../../../src/mesh/model.ts';
import type { VmHost } from '../../../src/mesh/ports.ts';
import { openHost } from '../../../src/ssh/index.ts';
import { runEcho, stopEcho } from '../echo.ts';
import type { Lab } from '../env.ts';
import { istiodLab } from '../env.ts';
import { dropTraffic, type Heal } from '../faults.ts';
import { restartIstiod } from '../istiodControl.ts';
import { Person } from '../sshSupport.ts';
import { eventually } from '../support/eventually.ts';
import { applyGroup, exposeIstiod, healthOf, hideIstiod, isConnected, joinByHand, type GroupByHand } from '../support/istiodGuide.ts';

const PORT = 3306;
const GROUP: GroupByHand = {
  name: 'mysql',
  namespace: 'vm',
  ports: { mysql: PORT },
  probe: { periodSeconds: 1, httpGet: { path: '/healthz', port: PORT } },
};
const ALL = [
  ...['istiod-name', 'istiod-tcp', 'istiod-tls', 'clock', 'certificate', 'token', 'unit istio', 'ready', 'agent-log', 'listeners'],
  ...['capture', 'ssh-port', 'version', 'entry', 'dns', 'mesh-service'],
];

describe('checks of a machine with istiod', function () {
  this.timeout(120_000);
  let lab: Lab;
  let host: VmHost;
  let scope: VmScope;
  const heals: Heal[] = [];
  const root = async (script: string): Promise<string> => (await lab.onMachine('vm-1', ['sh', '-ec', script])).stdout.trim();
  const heal = (script: string): void => {
    heals.push(async () => {
      await root(script);
    });
  };

  before(async () => {
    lab = await istiodLab();
    await exposeIstiod(lab);
    await applyGroup(lab, GROUP);
    await runEcho(lab, 'vm-1', PORT);
    await joinByHand(lab, 'vm-1', GROUP);
    await root('systemctl enable istio');
    await healthy();
    const entry: ClusterEntry = {
      name: 'lab',
      context: lab.contexts.lab,
      istio: { namespace: 'istio-system' },
      clusterDomain: 'cluster.local',
    };
    const vm: VmEntry = { name: 'vm-1', host: 'vm-1', cluster: 'lab', namespace: 'vm', serviceAccount: 'mysql', workloadGroup: 'mysql' };
    const api = createClusterApi({ kubeconfig: await loadKubeconfig({ paths: [lab.kubeconfig] }), context: lab.contexts.lab, env: {} });
    const controlPlane = await istiod.detect(entry, api);
    assert.ok(controlPlane);
    host = await openHost('vm-1', { configFile: lab.sshConfig, prompter: new Person() });
    scope = {
      ...{ entry, vm, api, controlPlane, ports: portsAt(0), address: lab.machine('vm-1').address },
      inventory: { version: 1, clusters: [entry], vms: [vm], services: [] },
    };
  });
  afterEach(async function () {
    this.timeout(120_000);
    for (const one of heals.splice(0).reverse()) await one();
  });
  after(async () => {
    await host.close();
  });

  /** Ports whose clock is so many hours ahead. Only the clock is asked here. */
  function portsAt(hours: number): MeshPorts {
    const clock = {
      now: () => new Date(Date.now() + hours * 3_600_000),
      sleep: async (milliseconds: number) => {
        await sleep(milliseconds);
      },
    };
    return { clock } as unknown as MeshPorts;
  }

  const healthy = (): Promise<void> =>
    eventually('connected and Healthy', async () => (await isConnected(lab, GROUP)) && (await healthOf(lab, GROUP)) === 'True', 60_000);

  /** Runs the script while istio is stopped. Resolves when the started agent has written its certificate, as it does at each start, and its entry is well: nothing of /etc/certs changes by itself then. */
  async function startAfter(script: string): Promise<void> {
    const since = await root(`systemctl stop istio; ${script}; date +%s.%N; systemctl start istio`);
    await eventually('its certificate', async () => (await root(`find /etc/certs/cert-chain.pem -newermt @${since}`)) !== '', 60_000);
    await healthy();
  }

  async function results(only: readonly string[] = ALL, hours = 0): Promise<Map<string, CheckResult>> {
    const checks = await istiod.checks({ ...scope, ports: portsAt(hours) });
    const asked = checks.filter(({ id }) => only.includes(id));
    return new Map((await runChecks(asked, host, {})).map((result) => [result.id, result]));
  }

  /** What these checks say, in time. */
  async function say(wanted: Readonly<Record<string, string>>, { hours = 0, limit = 30_000 } = {}): Promise<void> {
    const end = Date.now() + limit;
    for (;;) {
      const found = await results(Object.keys(wanted), hours);
      const said = Object.fromEntries([...found].map(([id, { verdict, reason }]) => [id, `${verdict} ${reason.id}`]));
      try {
        assert.deepEqual(said, wanted);
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await sleep(500);
      }
    }
  }

  it('pass where it is joined, with commands that can be pasted', async () => {
    let found = await results();
    const end = Date.now() + 20_000;
    while ([...found.values()].some(({ verdict }) => verdict !== 'ok') && Date.now() < end) found = await results();
    assert.deepEqual(
      [...found.values()].map(({ id, verdict, reason, output }) =>
        verdict === 'ok' ? id : `${id}: ${verdict} ${reason.id} ${JSON.stringify(reason.args)} ${output}`,
      ),
      ALL,
    );
    assert.equal(
      [...found.values()].some(({ output }) => /eyJ[\w-]+\.eyJ|PRIVATE KEY/.test(output)),
      false,
      'no secret is shown',
    );
    const pasted = await lab.ssh('vm-1', ['sh', '-c', found.get('mesh-service')?.commandLine ?? '']);
    assert.match(pasted.stdout, /^server: envoy\r$/m);
    const claims = await lab.ssh('vm-1', ['sh', '-c', found.get('token')?.commandLine ?? '']);
    assert.match(claims.stdout, /"sub":"system:serviceaccount:vm:mysql"\}$/m);
  });

  it('tell a wrong line of /etc/hosts from a missing one', async () => {
    await root('cp /etc/hosts /run/hosts; sed -i "s/^.* istiod.istio-system.svc/192.0.2.1 istiod.istio-system.svc/" /etc/hosts');
    heal('cat /run/hosts >/etc/hosts');
    await say({ 'istiod-name': 'fail istiod.check.name.other' });
    await root('sed -i "/istiod.istio-system.svc/d" /etc/hosts');
    // Others than the agent get the name from the agent itself: the Service's address, which leads nowhere from here.
    await say({
      'istiod-name': 'fail istiod.check.name.other',
      'istiod-tcp': 'fail istiod.check.name.unknown',
      'istiod-tls': 'fail istiod.check.name.unknown',
    });
  });

  it('see a sidecar that was started where istiod is not', async () => {
    await root(
      'systemctl stop istio; cp /etc/hosts /run/hosts; sed -i "s/^.* istiod.istio-system.svc/192.0.2.1 istiod.istio-system.svc/" /etc/hosts',
    );
    heals.push(() => startAfter('cat /run/hosts >/etc/hosts'));
    await root('systemctl start --no-block istio');
    await say({ ready: 'fail check.http.refused', listeners: 'fail istiod.check.listeners.empty' });
  });

  it('see that the user of the package is gone, and a sidecar that starts again and again', async () => {
    await root('systemctl stop istio; usermod -l gone istio-proxy');
    heals.push(() => startAfter('usermod -l istio-proxy gone'));
    await say({ 'istiod-tcp': 'fail istiod.check.no-user', 'istiod-tls': 'fail istiod.check.no-user' });
    await root('systemctl start --no-block istio');
    await say({ 'unit istio': 'fail check.unit.down' });
    await eventually('the loop', async () => (await results(['unit istio'])).get('unit istio')?.why?.id === 'check.unit.loop');
  });

  it('tell a dropped port from a refused one, past Envoy, which accepts all', async () => {
    await root('iptables -I OUTPUT -p tcp --dport 15012 -j DROP');
    heal('iptables -D OUTPUT -p tcp --dport 15012 -j DROP 2>/dev/null || :');
    await say({ 'istiod-tcp': 'fail istiod.check.tcp.silent', 'istiod-tls': 'fail istiod.check.tls.failed' });
    await root('iptables -D OUTPUT -p tcp --dport 15012 -j DROP');
    await hideIstiod(lab);
    heals.push(() => exposeIstiod(lab));
    await say({ 'istiod-tcp': 'fail istiod.check.tcp.refused' });
  });

  it('see a root certificate that is another, and one that is gone', async () => {
    await root('systemctl stop istio; cp -p /etc/certs/root-cert.pem /run/root-cert.pem');
    heals.push(() => startAfter('cp -p /run/root-cert.pem /etc/certs/root-cert.pem'));
    await root(
      'openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /O=other -keyout /dev/null -out /etc/certs/root-cert.pem 2>/dev/null',
    );
    await say({ 'istiod-tls': 'fail istiod.check.tls.unknown-root' });
    await root('rm /etc/certs/root-cert.pem');
    await say({ 'istiod-tls': 'fail istiod.check.tls.no-root' });
  });

  // For the clock, and what is early, this side's is moved: a machine's cannot differ here, time namespaces have no clock of the day.
  it('see clocks that differ, and credentials that are over', async () => {
    await say({ clock: 'fail istiod.check.clock.off' }, { hours: 1 });
    await say({ clock: 'fail istiod.check.clock.off' }, { hours: -1 });
    await say({ certificate: 'ok istiod.check.certificate.ok', token: 'ok istiod.check.token.not-needed' }, { hours: 10 });
    await say({ certificate: 'fail istiod.check.certificate.early' }, { hours: -48 });
    await root('mv /run/secrets/tokens/istio-token /run/token');
    heal('mv /run/token /run/secrets/tokens/istio-token');
    await say({ certificate: 'ok istiod.check.certificate.ok', token: 'ok istiod.check.token.not-needed' });
    // Stopped meanwhile: a running agent may be about to write its certificate.
    await root('systemctl stop istio; cp -p /etc/certs/cert-chain.pem /run/chain; rm /etc/certs/cert-chain.pem');
    heals.push(() => startAfter('cp -p /run/chain /etc/certs/cert-chain.pem'));
    await say({ certificate: 'fail istiod.check.certificate.none', token: 'fail istiod.check.token.none' });
    await root(`openssl req -new -newkey rsa:2048 -nodes -subj /O=x -addext subjectAltName=URI:spiffe://cluster.local/ns/vm/sa/mysql -keyout /run/x.key -out /run/x.csr 2>/dev/null
                openssl x509 -req -in /run/x.csr -signkey /run/x.key -copy_extensions copy -days -1 -out /etc/certs/cert-chain.pem 2>/dev/null
                echo "x.$(printf '{"exp":1700000000,"sub":"system:serviceaccount:vm:mysql"}' | base64 -w0).x" >/run/secrets/tokens/istio-token
                rm /run/x.*`);
    await say({ certificate: 'fail istiod.check.certificate.expired', token: 'fail istiod.check.token.expired' });
  });

  it('see a key that is not the one of its certificate, and what the agent says of it', async () => {
    await root('cp -p /etc/certs/key.pem /etc/certs/cert-chain.pem /run/; openssl genrsa -out /etc/certs/key.pem 2048 2>/dev/null');
    heals.push(() => startAfter('cp -p /run/key.pem /run/cert-chain.pem /etc/certs/; rm /run/key.pem'));
    await say({ certificate: 'fail istiod.check.certificate.key-other' });
    const { output = '' } = (await results(['certificate'])).get('certificate') ?? {};
    assert.match(output, /BEGIN PUBLIC KEY/);
    assert.doesNotMatch(output, /PRIVATE/);
    await root('systemctl restart --no-block istio');
    await say({ 'agent-log': 'fail istiod.agent.key' });
    await root('systemctl stop istio; echo nonsense >/etc/certs/key.pem');
    await say({ certificate: 'fail istiod.check.certificate.key-unreadable' });
  });

  it('see a package that is too new, too old, and removed though dpkg still lists it', async () => {
    await root(`curl -sSf -m 60 -o /run/mine.deb ${lab.sidecarPackageUrl}; dpkg-deb -R /run/mine.deb /run/package`);
    heals.push(() => startAfter('dpkg --force-confold -i /run/mine.deb >/dev/null; rm -rf /run/package /run/*.deb'));
    // Only the version is another: the lab's istiod is 1.31.0.
    const install = (version: string): Promise<string> =>
      root(`sed -i 's/^Version: .*/Version: ${version}/' /run/package/DEBIAN/control
            dpkg-deb -Znone -b /run/package /run/other.deb; dpkg --force-confold -i /run/other.deb`);
    await install('1.32.0');
    await say({ version: 'fail istiod.skew.ahead' });
    await install('1.30.2');
    await say({ version: 'ok istiod.check.version.ok' });
    await install('1.29.7');
    await say({ version: 'fail istiod.skew.behind' });
    await root('dpkg -r istio-sidecar');
    await say({ version: 'fail istiod.check.version.none' });
  });

  it('see an identity that is not the one of the inventory', async () => {
    const mine = scope;
    heals.push(async () => void (scope = mine));
    scope = { ...mine, vm: { ...mine.vm, serviceAccount: 'other' } };
    await say({ certificate: 'fail istiod.check.certificate.identity', token: 'fail istiod.check.token.other' });
  });

  it('see a sidecar that is stopped, and one that is not enabled', async () => {
    await root('systemctl disable istio');
    heal('systemctl enable istio');
    await say({ 'unit istio': 'fail check.unit.not-enabled' });
    await root('systemctl stop istio');
    heals.push(() => startAfter(':'));
    await say({
      'unit istio': 'fail check.unit.down',
      ready: 'fail check.http.refused',
      listeners: 'fail istiod.check.listeners.no-envoy',
      capture: 'fail istiod.check.capture.none',
      'mesh-service': 'fail check.http.name',
    });
    await eventually('the entry being away', async () =>
      /entry\.(never|disconnected)/.test((await results(['entry'])).get('entry')?.reason.id ?? ''),
    );
  });

  it('see rules that were flushed, in the other kind of table, and port 22 in them', async () => {
    await root('iptables-legacy-save -t nat >/run/nat');
    heal('iptables-legacy-restore -T nat </run/nat');
    await root('iptables-legacy -t nat -I ISTIO_INBOUND 1 -p tcp --dport 22 -j ISTIO_IN_REDIRECT');
    await say({ 'ssh-port': 'fail istiod.check.ssh.captured' });
    await root('iptables-legacy -t nat -I ISTIO_INBOUND 1 -p tcp --dport 22 -j RETURN');
    await say({ 'ssh-port': 'ok istiod.check.ssh.ok' });
    await root('iptables-legacy -t nat -F');
    await say({ capture: 'fail istiod.check.capture.none', dns: 'fail istiod.check.dns.none' });
    // With no rule in the way, a name of the mesh that leads to its pod is answered, but not by Envoy.
    const line = `${lab.addresses.pods.productpage} productpage.bookinfo.svc.cluster.local`;
    await root(`cp /etc/hosts /run/hosts; echo "${line}" >>/etc/hosts`);
    heal('cat /run/hosts >/etc/hosts');
    await say({ 'mesh-service': 'fail istiod.check.service.past' });
  });

  it('see rules in both kinds of tables', async () => {
    await root('iptables-nft -t nat -N ISTIO_REDIRECT; iptables-nft -t nat -A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001');
    heal('iptables-nft -t nat -F ISTIO_REDIRECT; iptables-nft -t nat -X ISTIO_REDIRECT');
    await say({ capture: 'fail istiod.check.capture.twice' });
  });

  it('see names that the agent does not get to answer', async () => {
    await root('cat /etc/resolv.conf >/run/resolv; cat /etc/nsswitch.conf >/run/nsswitch; echo "nameserver 192.0.2.53" >/etc/resolv.conf');
    heal('cat /run/resolv >/etc/resolv.conf; cat /run/nsswitch >/etc/nsswitch.conf');
    await say({ dns: 'fail istiod.check.dns.past', 'mesh-service': 'fail check.http.name' });
    await root('echo "search lab.internal" >/etc/resolv.conf');
    await say({ dns: 'fail istiod.check.dns.no-server', 'mesh-service': 'fail check.http.name' });
    await root('cat /run/resolv >/etc/resolv.conf');
    await say({ dns: 'ok istiod.check.dns.ok', 'mesh-service': 'ok istiod.check.service.ok' });
    await root('sed -i "s/^hosts:.*/hosts: files resolve [!UNAVAIL=return] dns/" /etc/nsswitch.conf');
    await say({ dns: 'fail istiod.check.dns.past-dns' });
  });

  it('tell pods that do not answer from packets that are lost', async () => {
    const reject = 'OUTPUT -p tcp --dport 9080 -m owner --uid-owner istio-proxy -j REJECT --reject-with tcp-reset';
    await root(`iptables -I ${reject}`);
    heal(`iptables -D ${reject} 2>/dev/null || :`);
    await say({ 'mesh-service': 'fail check.http.status' });
    await root(`iptables -D ${reject}`);
    heals.push(await dropTraffic(lab, 'vm-1', { port: 9080 }));
    await say({ 'mesh-service': 'fail istiod.check.service.failed' });
  });

  it('see a machine that is registered at another of its addresses', async () => {
    const env = '/var/lib/istio/envoy/cluster.env';
    await root('ip link add bridge0 type bridge && ip addr add 172.31.0.1/24 dev bridge0 && ip link set bridge0 up');
    await root(
      `cp -p ${env} /run/cluster.env; sed -i "/^ISTIO_SVC_IP=/d" ${env}; echo ISTIO_SVC_IP=172.31.0.1 >>${env}; systemctl restart --no-block istio`,
    );
    heals.push(() => startAfter(`ip link del bridge0; cp -p /run/cluster.env ${env}`));
    await say({ entry: 'fail istiod.check.entry.elsewhere' }, { limit: 60_000 });
  });

  it('see an entry with an address that the machine does not have', async () => {
    const env = '/var/lib/istio/envoy/cluster.env';
    const [address, mine] = ['192.0.2.99', scope];
    await root(
      `cp -p ${env} /run/cluster.env; sed -i "/^ISTIO_SVC_IP=/d" ${env}; echo ISTIO_SVC_IP=${address} >>${env}; systemctl restart --no-block istio`,
    );
    heals.push(async () => {
      scope = mine;
      await startAfter(`cp -p /run/cluster.env ${env}`);
    });
    scope = { ...mine, vm: { ...mine.vm, address }, address };
    // Its probe goes to that address, too.
    await say({ entry: 'fail istiod.check.entry.unhealthy' }, { limit: 60_000 });
    await root(`ip addr add ${address}/32 dev lo`);
    heal(`ip addr del ${address}/32 dev lo 2>/dev/null || :`);
    // Where nothing probes, or the probe gets through, only the address tells: `hostname` leaves out what is on loopback.
    await say({ entry: 'fail istiod.check.entry.address' }, { limit: 60_000 });
  });

  it('see an application that its probe does not find', async () => {
    await stopEcho(lab, 'vm-1', PORT);
    heals.push(async () => {
      await runEcho(lab, 'vm-1', PORT);
      await healthy();
    });
    await say({ entry: 'fail istiod.check.entry.unhealthy' });
  });

  it('see a workload group that was deleted', async () => {
    await lab.kubectl(['-n', 'vm', 'delete', 'workloadgroup', 'mysql']);
    heals.push(async () => {
      await applyGroup(lab, GROUP);
      await startAfter(':');
    });
    await root('systemctl restart --no-block istio');
    await say({ 'agent-log': 'fail istiod.agent.no-group', entry: 'fail istiod.group-missing' }, { limit: 60_000 });
  });

  it('see a token that istiod does not take any more', async () => {
    await root('systemctl stop istio; rm -f /etc/certs/cert-chain.pem /etc/certs/key.pem');
    await lab.kubectl(['-n', 'vm', 'delete', 'serviceaccount', 'mysql']);
    heals.push(async () => {
      await root('systemctl stop istio; sed -i "/istiod.istio-system.svc/d" /etc/hosts');
      await applyGroup(lab, GROUP);
      await joinByHand(lab, 'vm-1', GROUP);
      await healthy();
    });
    await root('systemctl start --no-block istio');
    await say({ 'agent-log': 'fail istiod.agent.unauthenticated', certificate: 'fail istiod.check.certificate.none' }, { limit: 60_000 });
  });

  it('see listeners that Envoy rejects, with its reason', async () => {
    await restartIstiod(lab, { PILOT_ENABLE_ALPN_FILTER: 'true', PILOT_ENABLE_METADATA_EXCHANGE: 'true', PILOT_DISABLE_MX_ALPN: 'false' });
    heals.push(async () => {
      await restartIstiod(lab);
      await startAfter(':');
    });
    await root('systemctl restart --no-block istio');
    await say({ listeners: 'fail istiod.check.listeners.rejected' }, { limit: 60_000 });
    const said = (await results(['listeners'])).get('listeners');
    assert.match(String(said?.reason.args.text), /istio\.(alpn|metadata_exchange)|unknown|unregistered|Didn't find/i);
  });
});
