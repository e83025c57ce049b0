import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createMesh } from '../../../src/mesh/createMesh.ts';
import type { Era } from '../../../src/mesh/era.ts';
import { isMeshError, MeshError } from '../../../src/mesh/errors.ts';
import type { MeshPorts } from '../../../src/mesh/mesh.ts';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { GeneratedFile } from '../../../src/mesh/model.ts';
import type { ClusterApi, HostFacts, HostState, SavedEdit, VmHost } from '../../../src/mesh/ports.ts';
import { previewPlan, runPlan } from '../../../src/mesh/planRunner.ts';
import { Secret } from '../../../src/mesh/secret.ts';

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
const path = '/etc/dnsmasq.d/kubedns';
const keyPath = '/etc/certs/cert-chain.pem';
const inventory = parseInventory(`version: 1
clusters:
  - { name: prod, context: kind-prod, istio: { release: 1.0.3 } }
  - { name: new, context: kind-new }
vms:
  - { name: db-1, host: db-1.lan, cluster: prod, namespace: vm }
  - { name: new-1, cluster: new, namespace: vm, address: 10.9.9.9 }
services:
  - { name: mysql, cluster: prod, namespace: onprem, ports: [{ name: mysql, port: 3306 }], vms: [db-1] }
`).inventory;

/** Counts what is asked of the outside; every part can be changed by a test. */
function world(more: { generated?: string; edit?: SavedEdit; facts?: Partial<HostFacts>; state?: Partial<HostState> } = {}) {
  const calls: string[] = [];
  let lost = false;
  const text = more.generated ?? 'server=/svc.cluster.local/10.150.0.7\n';
  const facts = { addresses: [{ address: '10.150.0.5', interface: 'eth0' }], ...more.facts } as HostFacts;
  const state: HostState = { facts, files: [], units: [], packages: [], programs: {}, ...more.state };
  const host = (alias: string): VmHost =>
    ({
      alias,
      probe: async (request: { facts?: boolean }) => {
        calls.push(request.facts === true ? 'ask address' : 'probe');
        if (lost) {
          lost = false;
          throw new MeshError({ code: 'host.lost', userMessage: message('x') });
        }
        return state;
      },
      rollback: async () => {
        calls.push('rollback');
        return { changed: [path], unchanged: [], generation: 1 };
      },
      setUnits: async (change: { restart: string[] }) => {
        calls.push(`restart ${change.restart.join()}`);
        return [];
      },
      run: async () => ({ exitCode: 0, stdout: 'yes', stderr: '', durationMs: 3, timedOut: false }),
      close: async () => {
        calls.push(`close ${alias}`);
      },
    }) as unknown as VmHost;
  const api = (context: string): ClusterApi =>
    ({
      context,
      list: async () => [],
      close: async () => void calls.push(`close ${context}`),
    }) as unknown as ClusterApi;
  const files = (): GeneratedFile[] => [
    {
      path,
      mode: 0o644,
      owner: 'root',
      group: 'root',
      readBy: ['dnsmasq'],
      editable: true,
      content: { kind: 'text', text, sources: [[{ value: '10.150.0.7', from: { kind: 'rule', facts: '1.1' } }]] },
    },
    {
      path: keyPath,
      mode: 0o644,
      owner: 'istio-proxy',
      group: 'root',
      readBy: ['istio'],
      editable: false,
      accepts: [sha('renewed')],
      content: {
        kind: 'secret',
        secret: new Secret('PEM'),
        facts: {
          subject: '',
          issuer: '',
          uris: ['spiffe://cluster.local/ns/vm/sa/default'],
          notBefore: '2026-01-01T00:00:00Z',
          notAfter: '2026-04-01T00:00:00Z',
          fingerprint: 'a',
        },
      },
    },
  ];
  const era = {
    id: 'citadel',
    detect: async () => {
      calls.push('detect');
      return undefined;
    },
    pinned: (release: string) =>
      release === '1.0.3' ? { era: 'citadel', release, source: { value: release, from: { kind: 'inventory', field: 'x' } } } : undefined,
    generate: async (scope: { address?: string }) => {
      calls.push(`generate ${scope.address ?? '-'}`);
      return files();
    },
    lint: (_scope: unknown, _files: unknown, state?: HostState) => [
      { rule: state === undefined ? 'of-files' : 'of-files-and-machine', severity: 'warning', text: message('x'), at: { path } },
    ],
    hostInputs: () => ({ facts: true }),
    probe: () => ({ units: ['istio', 'dnsmasq'] }),
    services: async () => [
      {
        ref: { apiVersion: 'v1', kind: 'Service', namespace: 'onprem', name: 'mysql' },
        ports: [],
        endpoints: [
          { address: '10.150.0.5', ports: [3306] },
          { address: '10.1.0.9', ports: [3306] },
        ],
      },
      {
        ref: { apiVersion: 'v1', kind: 'Service', namespace: 'onprem', name: 'web' },
        ports: [],
        endpoints: [
          { address: '10.1.0.9', ports: [80] },
          { address: '10.1.0.8', ports: [80], vm: 'db-1' },
        ],
      },
    ],
    planPush: async () => ({ id: 'push', title: message('push'), hosts: [], steps: [] }),
    planRegister: async (_scope: unknown, _service: unknown, addresses: ReadonlyMap<string, string>) => {
      calls.push(`register ${JSON.stringify([...addresses])}`);
      return { id: 'register', title: message('register'), hosts: [], steps: [] };
    },
    checks: async () => [
      { id: 'dns', command: { argv: ['host', "it's"] }, judge: async () => ({ verdict: 'ok', reason: message('ok') }) },
      {
        id: 'page',
        command: { argv: ['curl', '-sS', 'http://x/'], asRoot: true },
        judge: async (_output: unknown, earlier: unknown[]) => ({ verdict: 'fail', reason: message(`after-${earlier.length}`) }),
      },
    ],
  } as unknown as Era;
  const ports = {
    connections: {
      contexts: async () => [],
      hosts: async () => [],
      cluster: async (context: string) => {
        calls.push(`open ${context}`);
        return api(context);
      },
      host: async (alias: string) => {
        calls.push(`open ${alias}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        return host(alias);
      },
      close: async () => void calls.push('close all'),
    },
    edits: {
      list: async () => (more.edit === undefined ? [] : [path]),
      read: async () => more.edit,
      write: async () => undefined,
      delete: async () => undefined,
    },
    clock: { now: () => new Date('2026-02-01T00:00:00Z'), sleep: async () => undefined },
    packages: { fetch: async () => Promise.reject(new Error('unused')) },
  };
  const mesh = createMesh(ports, () => inventory, [era]);
  return { mesh, calls, lose: () => (lost = true) };
}

const joined = (more: Partial<HostState> = {}): Partial<HostState> => ({
  manifest: {
    version: 1,
    owner: { vm: 'db-1', cluster: 'prod', era: 'citadel', release: '1.0.3' },
    generation: 1,
    files: [],
    packages: [],
    units: [{ name: 'istio', enabledBefore: 'disabled', activeBefore: 'inactive' }],
    created: { paths: [], users: [], groups: [] },
  },
  files: [
    { path, exists: true, kind: 'file', mode: 0o644, owner: 'root', group: 'root', sha256: sha('server=/svc.cluster.local/10.150.0.7\n') },
    {
      path: keyPath,
      exists: true,
      kind: 'file',
      mode: 0o644,
      owner: 'istio-proxy',
      group: 'root',
      sha256: sha('PEM'),
      certificate: certificate('2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z'),
    },
  ],
  units: [unit('istio', 'active'), unit('dnsmasq', 'active')],
  ...more,
});
const certificate = (notBefore: string, notAfter: string, uri = 'spiffe://cluster.local/ns/vm/sa/default') => ({
  subject: '',
  issuer: '',
  uris: [uri],
  notBefore,
  notAfter,
  fingerprint: 'b',
});
const unit = (name: string, active: string, more = {}) => ({
  name,
  load: 'loaded' as const,
  active,
  sub: '',
  enabled: 'enabled',
  restarts: 0,
  ...more,
});

describe('createMesh', () => {
  it('contacts nothing to generate offline with a pinned release but the cluster it reads', async () => {
    const { mesh, calls } = world();
    const generated = await mesh.generate('db-1', { offline: true });
    assert.deepEqual(calls, ['open kind-prod', 'generate -']);
    assert.equal(generated.readAt, '2026-02-01T00:00:00.000Z');
    assert.equal(generated.controlPlane.release, '1.0.3');
  });

  it('works over one connection that concurrent calls share', async () => {
    const { mesh, calls } = world();
    await Promise.all([mesh.generate('db-1'), mesh.host('db-1'), mesh.host('db-1')]);
    await mesh.generate('db-1');
    assert.deepEqual([...calls].sort(), [
      'ask address',
      'ask address',
      'generate 10.150.0.5',
      'generate 10.150.0.5',
      'open db-1.lan',
      'open kind-prod',
    ]);
    await mesh.close();
    assert.deepEqual(calls.slice(-3), ['close db-1.lan', 'close kind-prod', 'close all']);
  });

  it('never guesses an address from several', async () => {
    const two = [
      { address: '10.0.0.5', interface: 'eth0' },
      { address: '10.1.0.5', interface: 'eth1' },
    ];
    await assert.rejects(
      world({ facts: { addresses: two } }).mesh.generate('db-1'),
      (error: unknown) =>
        isMeshError(error, 'vm.several-addresses') &&
        error.kind === 'bad-input' &&
        String(error.userMessage.args.addresses).includes('10.1.0.5 (eth1)') &&
        error.choices.some(({ value, text }) => value === '10.1.0.5' && text === '10.1.0.5 (eth1)'),
    );
    await assert.rejects(world({ facts: { addresses: [] } }).mesh.generate('db-1'), (error: unknown) =>
      isMeshError(error, 'vm.no-address'),
    );
    const dual = world({
      facts: {
        addresses: [
          { address: '2001:db8::5', interface: 'eth0' },
          { address: '10.0.0.5', interface: 'eth0' },
        ],
      },
    });
    await dual.mesh.generate('db-1');
    assert.ok(dual.calls.includes('generate 10.0.0.5'));
  });

  it('opens a lost connection again', async () => {
    const { mesh, calls, lose } = world();
    const host = await mesh.host('db-1');
    lose();
    await assert.rejects(host.probe({}), (error: unknown) => isMeshError(error, 'host.lost'));
    await host.probe({});
    assert.deepEqual(calls, ['open db-1.lan', 'probe', 'open db-1.lan', 'probe']);
  });

  it('puts a saved edit into force, and keeps the sources of the lines it left', async () => {
    const generated = 'server=/svc.cluster.local/10.150.0.7\n';
    const { mesh } = world({ edit: { text: `# mine\n${generated}`, base: sha(generated) } });
    const made = await mesh.generate('db-1', { offline: true });
    assert.deepEqual([made.edited, made.conflicts], [[path], []]);
    const content = made.files[0]?.content;
    assert.ok(content?.kind === 'text');
    assert.equal(content.text, `# mine\n${generated}`);
    assert.deepEqual(
      content.sources.map((sources) => sources.length),
      [0, 1, 0],
    );
    const pristine = made.pristine.get(path)?.content;
    assert.equal(pristine?.kind === 'text' && pristine.text, generated);
  });

  it('stops a push at an edit of an older text before the VM is asked anything', async () => {
    const { mesh, calls } = world({
      edit: { text: '# mine\n', base: sha('older\n') },
      facts: { addresses: [{ address: '10.0.0.5', interface: 'eth0' }] },
    });
    await assert.rejects(mesh.planPush('db-1'), (error: unknown) => isMeshError(error, 'edit.conflict') && error.kind === 'person');
    assert.ok(!calls.includes('probe'));
    const made = await mesh.generate('db-1');
    assert.deepEqual(
      [made.edited, made.conflicts, made.findings.map((finding) => finding.rule)],
      [[], [path], ['edit.conflict', 'of-files']],
    );
  });

  it('names the nearest name for one that the inventory lacks', async () => {
    const { mesh, calls } = world();
    const refused = (promise: Promise<unknown>, near: string) =>
      assert.rejects(
        promise,
        (error: unknown) =>
          isMeshError(error, 'inventory.unknown-name') && error.kind === 'bad-input' && error.nextStep?.args.nearest === near,
      );
    await refused(mesh.generate('db-l'), 'db-1');
    await refused(mesh.controlPlane('prd'), 'prod');
    await refused(mesh.planRegister('mysqk'), 'mysql');
    assert.deepEqual(calls, []);
  });

  it('says where no control plane is seen', async () => {
    await assert.rejects(world().mesh.controlPlane('new'), (error: unknown) => isMeshError(error, 'era.not-found'));
  });

  it('finds the machines that only the cluster knows', async () => {
    const { mesh } = world();
    await mesh.generate('db-1');
    assert.deepEqual(await mesh.unmanaged('prod'), [{ address: '10.1.0.9', services: ['onprem/mysql', 'onprem/web'] }]);
  });

  it('reads a cluster with one list call per kind, what looks for its control plane included', async () => {
    const listed: string[] = [];
    const api = {
      list: async ({ kind }: { readonly kind: string }) => (listed.push(kind), []),
      get: async () => undefined,
    } as unknown as ClusterApi;
    const ports = { connections: { cluster: async () => api }, clock: { now: () => new Date(0) } } as unknown as MeshPorts;
    const later = parseInventory('version: 1\nclusters:\n  - { name: prod, context: prod, istio: { release: 1.20.0 } }\n').inventory;
    const mesh = createMesh(ports, () => later);
    const overview = await mesh.overview('prod');
    assert.deepEqual(listed.sort(), [
      ...['Deployment', 'Gateway', 'MutatingWebhookConfiguration', 'Pod'],
      ...['Service', 'ServiceEntry', 'VirtualService', 'WorkloadEntry', 'WorkloadGroup'],
    ]);
    assert.deepEqual([overview.services, overview.unmanaged, overview.workloadGroups], [[], [], []]);
  });

  it('registers with the addresses of the VMs', async () => {
    const { mesh, calls } = world();
    await mesh.planRegister('mysql.onprem');
    assert.equal(calls.at(-1), 'register [["db-1","10.150.0.5"]]');
  });

  it('runs checks in order, each seeing those before it, with the command ready to paste', async () => {
    const { mesh } = world();
    const seen: string[] = [];
    const results = await mesh.check('db-1', { onStart: (id, line, total) => seen.push(`${id} ${line} ${total}`) });
    assert.deepEqual(seen, [`dns host 'it'\\''s' 2`, 'page sudo curl -sS http://x/ 2']);
    assert.deepEqual(
      results.map((result) => [result.id, result.verdict, result.reason.id, result.output]),
      [
        ['dns', 'ok', 'ok', 'yes'],
        ['page', 'fail', 'after-1', 'yes'],
      ],
    );
    assert.deepEqual(
      (await mesh.check('db-1', {}, { only: ['page'] })).map((result) => result.id),
      ['page'],
    );
    await assert.rejects(mesh.check('db-1', {}, { only: ['pag'] }), (error: unknown) => isMeshError(error, 'check.unknown'));
  });

  it('rolls back and restarts what was running', async () => {
    const { mesh, calls } = world({ state: joined({ units: [unit('istio', 'active')] }) });
    const result = await runPlan(await mesh.planRollback('db-1'));
    assert.deepEqual(result.states, ['done', 'done']);
    assert.deepEqual(
      calls.filter((call) => call.startsWith('r')),
      ['rollback', 'restart istio'],
    );
    const { steps } = await previewPlan(await world({ state: joined() }).mesh.planRollback('db-1'));
    assert.deepEqual(
      steps.map(({ preview }) => preview.needed),
      [true, true],
    );
    const nothing = await runPlan(await world().mesh.planRollback('db-1'));
    assert.deepEqual(nothing.states, ['unchanged', 'unchanged']);
  });
});

describe('vmStatus', () => {
  const status = async (state: Partial<HostState>, more: Parameters<typeof world>[0] = {}) =>
    world({ ...more, state }).mesh.vmStatus('db-1');
  const withFile = (index: number, change: object): Partial<HostState> =>
    joined({ files: joined().files?.map((file, at) => (at === index ? { ...file, ...change } : file)) });

  it('says each finding once, those of the machine with those of the files', async () => {
    const { generated } = await status(joined());
    assert.deepEqual(
      generated?.findings.map(({ rule }) => rule),
      ['of-files-and-machine'],
    );
  });

  it('tells what matters most', async () => {
    const conditions: [Partial<HostState>, string, string][] = [
      [{}, 'not-joined', 'status.not-joined'],
      [joined(), 'in-sync', 'status.in-sync-certificate'],
      [joined({ units: [unit('istio', 'failed'), unit('dnsmasq', 'active')] }), 'failed', 'status.unit-failed'],
      [joined({ units: [unit('istio', 'activating', { restarts: 3 })] }), 'failed', 'status.unit-failed'],
      [joined({ units: [unit('istio', 'activating')] }), 'pending', 'status.starting'],
      [joined({ units: [unit('istio', 'active'), unit('systemd-resolved', 'inactive')] }), 'in-sync', 'status.in-sync-certificate'],
      [withFile(0, { sha256: sha('other') }), 'needs-push', 'status.needs-push'],
      [withFile(0, { mode: 0o600 }), 'needs-push', 'status.needs-push'],
      [withFile(0, { exists: false }), 'needs-push', 'status.needs-push'],
      // 90 days from 2025-11-10 end on 2026-02-08: 7 of 90 days are left.
      [withFile(1, { certificate: certificate('2025-11-10T00:00:00Z', '2026-02-08T00:00:00Z') }), 'expiring', 'status.expiring'],
      [withFile(1, { certificate: certificate('2025-11-01T00:00:00Z', '2026-01-30T00:00:00Z') }), 'failed', 'status.expired'],
    ];
    for (const [state, condition, summary] of conditions) {
      const found = await status(state);
      assert.deepEqual([found.condition, found.summary.id], [condition, summary]);
    }
  });

  it('takes what the era accepts for the same, and any other text for drift', async () => {
    const drifts = async (state: Partial<HostState>) => (await status(state)).files.map((file) => file.drift);
    assert.deepEqual(await drifts(withFile(1, { sha256: sha('renewed') })), ['same', 'same']);
    assert.deepEqual(await drifts(withFile(1, { sha256: sha('other') })), ['same', 'differs']);
    assert.deepEqual(await drifts(withFile(1, { sha256: sha(''), certificate: undefined })), ['same', 'differs']);
    assert.deepEqual(await drifts(withFile(1, { owner: 'root' })), ['same', 'mode']);
  });

  it('needs a person where the VM is joined elsewhere or an edit conflicts', async () => {
    const elsewhere = joined().manifest;
    assert.equal(
      (await status(joined({ manifest: elsewhere && { ...elsewhere, owner: { ...elsewhere.owner, cluster: 'edge' } } }))).condition,
      'needs-person',
    );
    assert.equal((await status(joined(), { edit: { text: 'x', base: sha('old') } })).condition, 'needs-person');
  });

  it('says how long the certificate lives', async () => {
    assert.deepEqual((await status(joined())).summary, { id: 'status.in-sync-certificate', args: { left: '59 d' } });
    assert.equal((await status(joined())).certificateNotAfter, '2026-04-01T00:00:00Z');
  });
});
