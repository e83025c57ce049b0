// Two joined machines, each in a group of its own: the east-west gateway gets another address, then a host name; several services on one of them.
import assert from 'node:assert/strict';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { Plan } from '../../../src/mesh/plan.ts';
import { runPlan } from '../../../src/mesh/planRunner.ts';
import { addName } from '../dns.ts';
import { echoAnswer, runEcho, stopEcho } from '../echo.ts';
import { istiodLab, type Lab } from '../env.ts';
import { failure } from '../support/failure.ts';
import { applyGroup, eventually, exposeIstiod, gatewayAddress, hideIstiod, isConnected } from '../support/istiodGuide.ts';
import { watchAsTree, type TreeWatch } from '../support/treeWatch.ts';
import { vmMesh } from '../support/vmMesh.ts';

const NAME = 'istiod.istio-system.svc';
const HOSTNAME = 'eastwest-2.lab.internal';
const GATEWAY = ['-n', 'istio-system', 'service', 'istio-eastwestgateway'];
const INTERNAL = 'cloud.google.com/load-balancer-type';
const MACHINES = ['vm-1', 'vm-2'] as const;
const GROUPS = {
  'vm-1': { name: 'mysql', namespace: 'vm', ports: { http: 3306, 'http-reports': 8080 } },
  'vm-2': { name: 'web', namespace: 'vm' },
};

describe('two machines behind an east-west gateway', function () {
  this.timeout(120_000);
  let lab: Lab;
  let mesh: Mesh;
  let tree: TreeWatch;

  const root = async (machine: string, script: string): Promise<string> =>
    (await lab.onMachine(machine, ['sh', '-ec', script])).stdout.trim();
  const annotate = (...words: string[]) => lab.kubectl(['annotate', '--overwrite', ...GATEWAY, ...words]);
  const istiodLines = (machine: string): Promise<string> => root(machine, `grep istiod /etc/hosts || :`);
  const fine = async (making: Promise<Plan>, changed = true): Promise<void> => {
    const result = await runPlan(await making);
    assert.equal(result.error, undefined, `${JSON.stringify(result.error)} ${String(result.error?.cause)}`);
    assert.equal(result.changed, changed);
  };
  /** Files of a machine that its row shows as different, and the text that they should have. */
  const drifted = (machine: string): Record<string, string> => {
    const status = tree.seen.get(machine);
    if (status === undefined || status instanceof Error) return { error: String(status) };
    const files = status.files.filter(({ drift }) => drift !== 'same').map(({ file }) => file);
    return Object.fromEntries(files.map(({ path, content }) => [path, content.kind === 'text' ? content.text : content.kind]));
  };
  /** Waits until both rows show the hosts file alone as different, with this line in place of the old one. */
  const driftTo = async (line: string): Promise<void> => {
    const shown = () => MACHINES.map((machine) => drifted(machine));
    await eventually(
      'the drift of both machines',
      async () => shown().every((files) => Object.keys(files).length > 0 && !('error' in files)),
      20_000,
    ).catch(() => undefined);
    for (const files of shown()) {
      assert.deepEqual(Object.keys(files), ['/etc/hosts'], JSON.stringify(files));
      assert.deepEqual(
        files['/etc/hosts']?.split('\n').filter((one) => one.includes('istiod')),
        [line],
      );
    }
  };
  /** Pushes both and sees them come back by the new line. */
  const pushAll = async (line: string): Promise<void> => {
    for (const machine of MACHINES) {
      await fine(mesh.planPush(machine));
      assert.equal(await istiodLines(machine), line);
      const peers = await root(machine, "ss -Htn state established '( dport = :15012 )' | awk '{ print $4 }' | sort -u");
      assert.equal(peers, `${line.split(' ')[0]}:15012`);
      await eventually('connected', () => isConnected(lab, GROUPS[machine]));
      assert.equal(
        (await mesh.vmStatus(machine)).files.every(({ drift }) => drift === 'same'),
        true,
      );
      await fine(mesh.planPush(machine), false);
    }
  };

  before(async function () {
    this.timeout(240_000);
    lab = await istiodLab();
    await exposeIstiod(lab);
    for (const machine of MACHINES) await applyGroup(lab, GROUPS[machine]);
    for (const port of [3306, 8080]) await runEcho(lab, 'vm-1', port);
    mesh = vmMesh(lab, {
      version: 1,
      clusters: [{ name: 'prod', context: lab.contexts.lab }],
      vms: MACHINES.map((name) => ({
        name,
        cluster: 'prod',
        namespace: 'vm',
        serviceAccount: GROUPS[name].name,
        workloadGroup: GROUPS[name].name,
      })),
      services: [
        { name: 'mysql', cluster: 'prod', namespace: 'vm', ports: [{ name: 'http', port: 3306 }], vms: ['vm-1'] },
        { name: 'admin', cluster: 'prod', namespace: 'vm', ports: [{ name: 'http-admin', port: 80, targetPort: 8080 }], vms: ['vm-1'] },
        {
          name: 'reports',
          cluster: 'prod',
          namespace: 'vm',
          ports: [{ name: 'http', port: 8081, targetPort: 8080 }],
          vms: ['vm-1'],
          hosts: ['reports.corp.example'],
        },
      ],
    });
    for (const machine of MACHINES) await fine(mesh.planJoin(machine, { package: { kind: 'file', path: lab.sidecarPackage } }));
    tree = watchAsTree(lab, mesh, 'prod');
  });

  after(async function () {
    this.timeout(120_000);
    tree.stop();
    await annotate(`${INTERNAL}=internal`, 'lab.mesh-expansion/hostname-');
    for (const machine of MACHINES) await runPlan(await mesh.planLeave(machine));
    await mesh.close();
    for (const port of [3306, 8080]) await stopEcho(lab, 'vm-1', port);
    await lab.kubectl(['-n', 'vm', 'delete', '--ignore-not-found', 'service/mysql', 'service/admin', 'serviceentry/reports']);
    for (const { name } of Object.values(GROUPS)) await lab.kubectl(['-n', 'vm', 'delete', 'workloadgroup,serviceaccount', name]);
    await gatewayAddress(lab);
    await hideIstiod(lab);
  });

  it('show another address as drift of both while nobody asks, and take it with a push', async () => {
    const old = await gatewayAddress(lab);
    for (const machine of MACHINES) assert.equal(await istiodLines(machine), `${old} ${NAME}`);
    // A line of a person's, and no newline at the end: neither is lost.
    await root('vm-1', 'printf "10.9.8.7 printer" >>/etc/hosts');
    await annotate(`${INTERNAL}-`);
    await eventually('another address', async () => ![old, ''].includes(await gatewayAddress(lab)));
    const now = await gatewayAddress(lab);
    await driftTo(`${now} ${NAME}`);
    await pushAll(`${now} ${NAME}`);
    assert.equal(await root('vm-1', 'tail -n 1 /etc/hosts'), '10.9.8.7 printer');
  });

  it('show a host name in place of the address as drift, resolved by each machine', async () => {
    const address = lab.addresses.pods.eastwestgateway;
    await addName(lab, HOSTNAME, address);
    await eventually('the name', async () => (await root('vm-2', `getent ahosts ${HOSTNAME} || :`)).startsWith(address));
    tree.forget();
    // What was found of the control plane a moment ago, the gateway's address too, counts for half a minute.
    await mesh.overview('prod', { fresh: true });
    await annotate(`lab.mesh-expansion/hostname=${HOSTNAME}`);
    await driftTo(`${address} ${NAME}`);
    await pushAll(`${address} ${NAME}`);
  });

  it('show the address again where the host name goes', async () => {
    tree.forget();
    await annotate('lab.mesh-expansion/hostname-', `${INTERNAL}=internal`);
    const now = await gatewayAddress(lab);
    await driftTo(`${now} ${NAME}`);
    await pushAll(`${now} ${NAME}`);
  });

  it('call several services of one machine by their names, of Kubernetes and of Istio, with both identities', async () => {
    for (const service of ['mysql', 'admin', 'reports']) await fine(mesh.planRegister(service));
    for (const url of [
      'http://mysql.vm.svc.cluster.local:3306/',
      'http://admin.vm.svc.cluster.local/',
      'http://reports.corp.example:8081/',
    ]) {
      let out = '';
      await eventually(url, async () => {
        out = (await lab.ssh('vm-2', ['curl', '-sS', '-m', '5', url], { tolerant: true })).stdout;
        return out.startsWith('{');
      });
      const answer = echoAnswer(out);
      assert.equal(answer.hostname, 'vm-1');
      assert.match(
        String(answer.headers['X-Forwarded-Client-Cert']),
        /By=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/mysql;.*URI=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/web/,
      );
    }
    const own = await mesh.services('prod');
    assert.deepEqual(
      own
        .filter(({ ref }) => ref.namespace === 'vm')
        .map(({ ref, endpoints }) => [ref.kind, ref.name, endpoints.map(({ address, ports }) => [address, ...ports])]),
      [
        ['Service', 'admin', [[lab.machine('vm-1').address, 8080]]],
        ['Service', 'mysql', [[lab.machine('vm-1').address, 3306]]],
        ['ServiceEntry', 'reports', [[lab.machine('vm-1').address, 8080]]],
      ],
    );
  });

  it('hear of a selector that takes none of them, and it is left as somebody wrote it', async () => {
    const patch = JSON.stringify([{ op: 'replace', path: '/spec/selector', value: { app: 'postgres' } }]);
    await lab.kubectl(['-n', 'vm', 'patch', 'service', 'mysql', '--type=json', '-p', patch]);
    const error = await failure(mesh.planRegister('mysql'));
    assert.equal(error.code, 'istiod.register.selector');
    assert.deepEqual([error.userMessage.args.selector, error.userMessage.args.vms], ['app=postgres', 'vm-1']);
    await lab.kubectl(['-n', 'vm', 'delete', 'service', 'mysql']);
    await fine(mesh.planRegister('mysql'));
    for (const service of ['mysql', 'admin', 'reports']) await fine(mesh.planDeregister(service));
  });
});
