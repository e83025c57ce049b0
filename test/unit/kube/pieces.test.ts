import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { KubeObject } from '../../../src/mesh/ports.ts';
import { differingFields } from '../../../src/kube/mergePatch.ts';
import { matchesFields, matchesLabels } from '../../../src/kube/selectors.ts';
import { rangesInAnswer, serviceCidrs } from '../../../src/kube/serviceCidrs.ts';
import { createSnapshotApi } from '../../../src/kube/snapshot.ts';
import { attempt, failure } from './server.ts';

describe('a merge patch', () => {
  const live = {
    metadata: { labels: { app: 'x', theirs: 'y' } },
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.0.0.5',
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30001 },
        { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30002 },
      ],
    },
  };

  it('is not needed where the live object has all that is wanted', () => {
    assert.equal(
      differingFields(
        {
          metadata: { labels: { app: 'x' } },
          spec: {
            ports: [
              { name: 'http', port: 80 },
              { name: 'dns', port: 53, protocol: 'UDP' },
            ],
          },
        },
        live,
      ),
      undefined,
    );
    assert.equal(differingFields({ spec: { type: undefined } }, live), undefined);
  });

  it('holds only what differs, and keeps what the server added to items', () => {
    assert.deepEqual(
      differingFields({ metadata: { labels: { app: 'z' }, annotations: { a: '1' } }, spec: { type: 'LoadBalancer' } }, live),
      { metadata: { labels: { app: 'z' }, annotations: { a: '1' } } },
    );
    assert.deepEqual(
      differingFields(
        {
          spec: {
            ports: [
              { name: 'dns', port: 5353, protocol: 'UDP' },
              { name: 'http', port: 80 },
            ],
          },
        },
        live,
      ),
      {
        spec: {
          ports: [
            { name: 'dns', port: 5353, protocol: 'UDP', nodePort: 30002 },
            { name: 'http', port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30001 },
          ],
        },
      },
    );
    assert.deepEqual(differingFields({ spec: { ports: [{ name: 'http', port: 80 }] } }, live), { spec: { ports: [live.spec.ports[0]] } });
  });
});

describe('selectors', () => {
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', labels: { app: 'a', tier: 'web' } },
    status: { phase: 'Running' },
  };
  // As kubectl's documentation of labels and selectors has them.
  const labels: readonly (readonly [string | undefined, boolean])[] = [
    [undefined, true],
    ['app=a', true],
    ['app==a,tier=web', true],
    ['app=b', false],
    ['app!=b', true],
    ['none!=b', true],
    ['app', true],
    ['!app', false],
    ['!none', true],
    ['tier in (web, db)', true],
    ['tier in (db),app=a', false],
    ['tier notin (db)', true],
    ['none notin (db)', true],
    ['none in (db)', false],
  ];
  for (const [selector, expected] of labels) it(`label ${String(selector)}`, () => assert.equal(matchesLabels(object, selector), expected));
  const fields: readonly (readonly [string, boolean])[] = [
    ['metadata.name=p', true],
    ['metadata.name=q', false],
    ['status.phase!=Running', false],
    ['status.phase==Running,metadata.namespace=n', true],
    ['spec.nodeName=', true],
  ];
  for (const [selector, expected] of fields) it(`field ${selector}`, () => assert.equal(matchesFields(object, selector), expected));
});

describe('the service CIDR', () => {
  // Wordings of Kubernetes' own releases: 1.9-1.19, 1.20-1.21, 1.22-1.2x, 1.27+, and 1.8 and older, which names no range.
  const wordings: readonly (readonly [string, readonly string[]])[] = [
    [
      'Service "x" is invalid: spec.clusterIP: Invalid value: "0.0.0.1": provided IP is not in the valid range. The range of valid IPs is 10.63.240.0/20',
      ['10.63.240.0/20'],
    ],
    [
      'Service "x" is invalid: spec.clusterIPs: Invalid value: []string{"0.0.0.1"}: failed to allocated ip:0.0.0.1 with error:provided IP is not in the valid range. The range of valid IPs is 10.45.0.0/16',
      ['10.45.0.0/16'],
    ],
    [
      'Service "x" is invalid: spec.clusterIPs: Invalid value: []string{"0.0.0.1"}: failed to allocate IP 0.0.0.1: provided IP is not in the valid range. The range of valid IPs is 10.19.0.0/18',
      ['10.19.0.0/18'],
    ],
    [
      'Service "x" is invalid: spec.clusterIPs: Invalid value: ["0.0.0.1"]: failed to allocate IP 0.0.0.1: the provided IP (0.0.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
      ['10.96.0.0/16'],
    ],
    [
      'Service "x" is invalid: spec.clusterIPs: Invalid value: ["100::1"]: failed to allocate IP 100::1: the provided IP (100::1) is not in the valid range. The range of valid IPs is fd00:10:96::/112',
      ['fd00:10:96::/112'],
    ],
    ['Service "x" is invalid: spec.clusterIP: Invalid value: "0.0.0.1": provided IP is not in the valid range', []],
    ['Service "x" is invalid: spec.clusterIPs[0]: Invalid value: ["100::1"]: IPv6 is not configured on this cluster', []],
    ['The range of valid IPs is 10.96.0.0/99', []],
    ['The range of valid IPs is nonsense', []],
  ];
  for (const [answer, expected] of wordings) it(`from: ${answer}`, () => assert.deepEqual(rangesInAnswer(answer), expected));

  const V4 = wordings[2]?.[0] ?? '';
  const V6 = wordings[4]?.[0] ?? '';
  const refusal = (code: string, text: string) =>
    new MeshError({ code, userMessage: message('x'), cause: { kind: 'Status', message: text } });

  interface Calls {
    readonly created: { address: unknown; dryRun: boolean | undefined }[];
    readonly deleted: string[];
    readonly run: Promise<unknown>;
  }

  /** `answers`: for each create, an error to throw, or undefined: it is created. */
  function asking(list: readonly KubeObject[] | MeshError, answers: readonly (MeshError | undefined)[]): Calls {
    const created: { address: unknown; dryRun: boolean | undefined }[] = [];
    const deleted: string[] = [];
    const made: KubeObject[] = [];
    const run = serviceCidrs(
      {
        context: 'c',
        list: async ({ kind }) => {
          if (kind === 'Service') return made;
          if (list instanceof MeshError) throw list;
          return list;
        },
        create: async (object, options) => {
          const answer = answers[created.length];
          created.push({ address: (object.spec as { clusterIP: string }).clusterIP, dryRun: options?.dryRun });
          if (answer !== undefined) throw answer;
          const object2 = { ...object, metadata: { ...object.metadata, uid: 'u1' } };
          if (options?.dryRun !== true) made.push(object2);
          return { object: object2, changed: true };
        },
        delete: async (ref, options) => void deleted.push(`${ref.name} ${String(options?.uid)}`),
      },
      'default',
    );
    run.catch(() => undefined);
    return { created, deleted, run };
  }

  it('comes from all ServiceCIDR objects', async () => {
    const one = (name: string, ...cidrs: string[]): KubeObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name },
      spec: { cidrs },
    });
    const calls = asking([one('kubernetes', '10.96.0.0/16', 'fd00::/112'), one('more', '10.97.0.0/24')], []);
    assert.deepEqual(await calls.run, { cidrs: ['10.96.0.0/16', 'fd00::/112', '10.97.0.0/24'], source: 'ServiceCIDR' });
    assert.equal(calls.created.length, 0);
  });

  it('comes from both families of a dual-stack cluster, and by dry run only', async () => {
    const calls = asking(refusal('kube.forbidden', 'servicecidrs is forbidden'), [
      refusal('kube.invalid', V4),
      refusal('kube.invalid', V6),
    ]);
    assert.deepEqual(await calls.run, { cidrs: ['10.19.0.0/18', 'fd00:10:96::/112'], source: 'dry-run' });
    assert.deepEqual(
      calls.created.map(({ dryRun }) => dryRun),
      [true, true],
    );
  });

  it('is asked without dry run where the API server has that switched off (1.12)', async () => {
    const off = refusal('kube.invalid', 'the dryRun alpha feature is disabled');
    const calls = asking([], [off, refusal('kube.invalid', V4), off, refusal('kube.invalid', V4)]);
    assert.deepEqual(await calls.run, { cidrs: ['10.19.0.0/18'], source: 'dry-run' });
    assert.deepEqual(
      calls.created.map(({ dryRun }) => dryRun),
      [true, false, true, false],
    );
  });

  it('is unknown where nobody says it, never guessed, and what was made goes again', async () => {
    const off = refusal('kube.invalid', 'the dryRun alpha feature is disabled');
    const calls = asking([], [off, undefined, refusal('kube.invalid', wordings[5]?.[0] ?? '')]);
    const error = await failure(calls.run);
    assert.deepEqual([error.code, error.nextStep?.id], ['kube.service-cidr-unknown', 'kube.service-cidr-unknown.next']);
    assert.deepEqual(calls.deleted, ['mesh-expansion-cidr-probe u1']);
  });

  it('passes on what is no answer', async () => {
    assert.equal((await failure(asking([], [refusal('kube.timeout', '')]).run)).code, 'kube.timeout');
  });
});

describe('a snapshot', () => {
  const stream = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: a, namespace: n, labels: {app: x}}, spec: {clusterIP: 10.0.0.1}}
- {apiVersion: v1, kind: Service, metadata: {name: b, namespace: m}}
---
---
apiVersion: v1
kind: ConfigMapList
items:
- {metadata: {name: c, namespace: n}, data: {k: "1"}}
---
{apiVersion: v1, kind: Service, metadata: {name: a, namespace: n, resourceVersion: "2"}}
`;
  const apiServer = (args: string) =>
    `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: kube-system}, spec: {containers: [{name: x, command: ${args}}]}}`;

  it('reads lists and streams, the later of two dumps winning', async () => {
    const api = createSnapshotApi(stream, 'dump');
    assert.deepEqual(
      (await api.list({ apiVersion: 'v1', kind: 'Service' })).map(({ metadata }) => metadata.name),
      ['a', 'b'],
    );
    assert.deepEqual(
      (await api.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'n' })).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['ConfigMap c'],
    );
    assert.equal((await api.get({ apiVersion: 'v1', kind: 'Service', namespace: 'n', name: 'a' }))?.metadata.resourceVersion, '2');
    assert.equal(await api.get({ apiVersion: 'v1', kind: 'Service', namespace: 'm', name: 'a' }), undefined);
    assert.equal((await failure(api.delete({ apiVersion: 'v1', kind: 'Service', namespace: 'n', name: 'a' }))).code, 'kube.snapshot');
    // A dump denies nothing; the writes above are refused by themselves.
    assert.deepEqual(
      (await api.can([{ verb: 'get', group: '', resource: 'pods' }])).map(({ allowed }) => allowed),
      [true],
    );
  });

  it('finds workloads that were printed in the versions of older clusters', async () => {
    for (const version of ['apps/v1', 'extensions/v1beta1', 'apps/v1beta1', 'apps/v1beta2']) {
      const api = createSnapshotApi(`{apiVersion: ${version}, kind: Deployment, metadata: {name: istio-pilot, namespace: n}}`, 'dump');
      const found = await api.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n', name: 'istio-pilot' });
      assert.equal(found?.metadata.name, 'istio-pilot', version);
    }
    const ingress = createSnapshotApi('{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: i, namespace: n}}', 'dump');
    assert.equal((await ingress.list({ apiVersion: 'extensions/v1beta1', kind: 'Ingress' })).length, 1);
  });

  it('takes a list of nothing beside others', async () => {
    const text = '{apiVersion: v1, kind: PodList, items: null}\n---\n{apiVersion: v1, kind: Service, metadata: {name: a, namespace: n}}\n';
    assert.equal((await createSnapshotApi(text, 'dump').list({ apiVersion: 'v1', kind: 'Service' })).length, 1);
  });

  it('is refused where it holds nothing, or is a bomb of aliases', async () => {
    for (const text of ['', '---\n', 'apiVersion: v1\nkind: List\nitems: []\n'])
      assert.equal((await failure(attempt(() => createSnapshotApi(text, 'dump')))).userMessage.id, 'kube.snapshot-invalid.empty');
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...['b', 'c', 'd', 'e', 'f'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcde'[index]}`).join(', ')}]`),
    ];
    assert.equal((await failure(attempt(() => createSnapshotApi(bomb.join('\n'), 'dump')))).code, 'kube.snapshot-invalid');
  });

  it('names the document that is not an object', async () => {
    const error = await failure(attempt(() => createSnapshotApi('apiVersion: v1\nkind: List\nitems: [{kind: Pod}]', 'dump')));
    assert.deepEqual(
      [error.code, error.kind, error.userMessage.args.document, error.userMessage.args.item],
      ['kube.snapshot-invalid', 'bad-input', 1, 1],
    );
    assert.equal((await failure(attempt(() => createSnapshotApi('a: [', 'dump')))).userMessage.id, 'kube.snapshot-invalid.yaml');
    assert.equal((await failure(attempt(() => createSnapshotApi('just text', 'dump')))).code, 'kube.snapshot-invalid');
    const torn = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\nkind: Secret\ndata: {key.pem: LS0tS0VZ: }\n';
    const secret = await failure(attempt(() => createSnapshotApi(torn, 'dump')));
    assert.match(String(secret.userMessage.args.text), /^6:\d+ /);
    assert.doesNotMatch(JSON.stringify([secret.userMessage, String(secret.cause)]), /LS0tS0VZ/);
  });

  it('has the service CIDR of its objects, else of kube-apiserver, else none', async () => {
    const cidr = '{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, spec: {cidrs: [10.9.0.0/16]}}';
    const of = (text: string) => createSnapshotApi(text, 'dump').serviceCidrs();
    assert.deepEqual((await of(`${cidr}\n---\n${apiServer('[kube-apiserver, --service-cluster-ip-range=10.1.0.0/16]')}`)).cidrs, [
      '10.9.0.0/16',
    ]);
    assert.deepEqual(await of(apiServer('[kube-apiserver, "--service-cluster-ip-range=10.1.0.0/16,fd00::/108"]')), {
      cidrs: ['10.1.0.0/16', 'fd00::/108'],
      source: 'snapshot',
    });
    assert.deepEqual((await of(apiServer('[/usr/bin/kube-apiserver, --service-cluster-ip-range, 10.2.0.0/16]'))).cidrs, ['10.2.0.0/16']);
    assert.equal((await failure(of(apiServer('[other, --service-cluster-ip-range=10.1.0.0/16]')))).code, 'kube.service-cidr-unknown');
    assert.equal((await failure(of(stream))).code, 'kube.service-cidr-unknown');
  });
});

describe('the texts of kube', () => {
  it('exist in both languages with the same places, for every id the code names', async () => {
    const texts = JSON.parse(await readFile(new URL('../../../l10n/messages/kube.json', import.meta.url), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const places = (text: string | undefined) => [...(text ?? '').matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
    for (const [id, { en, 'zh-cn': chinese }] of Object.entries(texts)) assert.deepEqual(places(chinese), places(en), id);
    const files = [
      'clusterApi',
      'credentials',
      'errors',
      'execCredential',
      'kubeconfig',
      'resources',
      'serviceCidrs',
      'snapshot',
      'watch',
      'write',
    ];
    const sources = await Promise.all(files.map((file) => readFile(new URL(`../../../src/kube/${file}.ts`, import.meta.url), 'utf8')));
    const messageIds = sources.flatMap((source) =>
      [...source.matchAll(/(?:message|unreachable|refused|invalid|unknownContext|badRequest)\(\s*'(kube\.[\w.-]+)'/g)].map(
        (match) => match[1] ?? '',
      ),
    );
    assert.ok(messageIds.length > 20);
    for (const id of messageIds) assert.ok(id in texts, id);
  });
});
