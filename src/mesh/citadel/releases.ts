import type { BalancerFacts, ReleaseFacts } from './releaseFacts.ts';

export type { BalancerFacts, BalancerRole, ClusterEnvValue, ReleaseFacts } from './releaseFacts.ts';

/**
 * What each release from 0.2.7 to 1.4 does differently: the only place that knows release numbers. A row holds from its release on, until the next row;
 * `releaseFacts` picks it. Source: citadel facts, the section named at each field.
 */

const control = 'control-plane';
const tcp = (port: number, name?: string) => ({ ...(name === undefined ? {} : { name }), port, protocol: 'TCP' }) as const;

const dns: BalancerFacts = {
  role: 'dns',
  name: 'dns-ilb',
  namespace: 'kube-system',
  selector: { 'k8s-app': 'kube-dns' },
  ports: [{ port: 53, protocol: 'UDP' }],
  comment: 'kube-dns, asked by dnsmasq on the VMs for names of the cluster. UDP only; always beside kube-dns.',
};
const pilot = (ports: BalancerFacts['ports']): BalancerFacts => ({
  role: 'pilot',
  name: 'istio-pilot-ilb',
  namespace: control,
  selector: { istio: 'pilot' },
  ports,
  comment: 'Pilot: the sidecars on the VMs take their configuration from it.',
});
const mixer = (port: number, more: Readonly<Record<string, string>> = {}): BalancerFacts => ({
  role: 'mixer',
  name: 'mixer-ilb',
  namespace: control,
  selector: { istio: 'mixer', ...more },
  ports: [tcp(port)],
  comment:
    'istio-mixer-type' in more
      ? 'Mixer. One address serves policy and telemetry: policy calls go to the telemetry pods too.'
      : 'Mixer: policy checks and telemetry.',
});
const authority = (name: string, app: string): BalancerFacts => ({
  role: 'citadel',
  name,
  namespace: control,
  selector: { istio: app },
  ports: [tcp(8060)],
  comment: 'The certificate authority: the node agents on the VMs renew their certificates there.',
});
const istioCa = authority('istio-ca-ilb', 'istio-ca');
const citadelCa = authority('citadel-ilb', 'citadel');

const cidrLine = { variable: 'ISTIO_SERVICE_CIDR', value: 'service-cidr' } as const;
const namespaceLine = { variable: 'ISTIO_SYSTEM_NAMESPACE', value: 'namespace' } as const;

const r0_2_7: ReleaseFacts = {
  release: '0.2.7',
  balancers: [pilot([tcp(8080)]), mixer(9091), istioCa, dns],
  kubednsNames: [
    { name: 'istio-mixer', role: 'mixer' },
    { name: 'mixer-server', role: 'mixer' },
    { name: 'istio-pilot', role: 'pilot' },
    { name: 'istio-ca', role: 'citadel' },
  ],
  clusterEnv: [cidrLine],
  authRead: undefined,
  namespaceVariable: 'POD_NAMESPACE',
  pilotPort: undefined,
  pilotPortFor: {},
  securePilotPort: undefined,
  registration: { kind: 'key', port: 8080, portName: 'http-discovery', secured: false },
  caName: 'istio-ca',
  mixerName: 'istio-mixer',
  ingress: ['istio-ingress'],
  packages: ['istio-agent', 'istio-auth-node-agent', 'istio-proxy'],
  packageNeeds: [{ program: 'iptables', package: 'iptables' }],
  packageDefect: undefined,
  units: { nodeAgent: 'istio-auth-node-agent', sidecar: 'istio' },
  captureClean: ['/usr/local/bin/istio-iptables.sh', 'clean'],
  ipv6Rules: [],
  capturesSshWhenListed: false,
};

const r0_2_12: ReleaseFacts = {
  ...r0_2_7,
  release: '0.2.12',
  kubednsNames: [
    { name: 'istio-mixer', role: 'mixer' },
    { name: 'istio-pilot', role: 'pilot' },
    { name: 'istio-ca', role: 'citadel' },
  ],
};

const r0_3_0: ReleaseFacts = { ...r0_2_12, release: '0.3.0', namespaceVariable: 'ISTIO_NAMESPACE' };

const r0_4_0: ReleaseFacts = {
  ...r0_3_0,
  release: '0.4.0',
  balancers: [pilot([tcp(15003)]), mixer(15004), istioCa, dns],
  clusterEnv: [cidrLine, namespaceLine, { variable: 'CONTROL_PLANE_AUTH_POLICY', value: 'auth' }],
  registration: { kind: 'key', port: 15003, portName: 'http-discovery', secured: true },
};

const r0_5_0: ReleaseFacts = {
  ...r0_4_0,
  release: '0.5.0',
  balancers: [pilot([tcp(15003, 'https-pilot'), tcp(8080, 'http-pilot')]), mixer(15004), istioCa, dns],
  authRead: { variable: 'CONTROL_PLANE_AUTH_POLICY', unset: 'NONE' },
  pilotPort: 8080,
  securePilotPort: 15003,
  registration: { kind: 'key', port: 8080, portName: 'http-discovery', secured: false },
  packages: ['istio-sidecar'],
};

const r0_7_1: ReleaseFacts = {
  ...r0_5_0,
  release: '0.7.1',
  balancers: [pilot([tcp(15005, 'https-pilot'), tcp(8080, 'http-pilot')]), mixer(15004), istioCa, dns],
  securePilotPort: 15005,
};

const r0_8_0: ReleaseFacts = {
  ...r0_7_1,
  release: '0.8.0',
  balancers: [
    pilot([tcp(15005, 'https-pilot'), tcp(8080, 'http-pilot'), tcp(15010, 'grpc-pilot'), tcp(15011, 'tls-grpc-pilot')]),
    mixer(15004, { 'istio-mixer-type': 'telemetry' }),
    citadelCa,
    dns,
  ],
  kubednsNames: [
    { name: 'istio-policy', role: 'mixer' },
    { name: 'istio-telemetry', role: 'mixer' },
    { name: 'istio-pilot', role: 'pilot' },
    { name: 'istio-citadel', role: 'citadel' },
    { name: 'istio-ca', role: 'citadel' },
  ],
  authRead: { variable: 'ISTIO_CP_AUTH', unset: 'NONE' },
  securePilotPort: undefined,
  registration: { kind: 'key', port: 8080, portName: 'http-legacy-discovery', secured: false },
  caName: 'istio-citadel',
  mixerName: 'istio-telemetry',
  ingress: ['istio-ingressgateway', 'istio-ingress'],
  packageNeeds: [...r0_7_1.packageNeeds, { program: 'ip', package: 'iproute2' }],
  ipv6Rules: [
    ['-m', 'state', '--state', 'ESTABLISHED', '-j', 'ACCEPT'],
    ['-j', 'REJECT'],
  ],
  capturesSshWhenListed: true,
};

const r1_0_0: ReleaseFacts = {
  ...r0_8_0,
  release: '1.0.0',
  clusterEnv: [cidrLine, namespaceLine, { variable: 'ISTIO_CP_AUTH', value: 'auth' }],
  registration: { kind: 'list', port: 8080, portName: '', secured: false },
};

const r1_0_1: ReleaseFacts = {
  ...r1_0_0,
  release: '1.0.1',
  authRead: { variable: 'ISTIO_CP_AUTH', unset: 'MUTUAL_TLS' },
  pilotPort: 15011,
  pilotPortFor: { NONE: 15010 },
};

const r1_1_0: ReleaseFacts = {
  ...r1_0_1,
  release: '1.1.0',
  ipv6Rules: [...r1_0_1.ipv6Rules.slice(0, 1), ['-i', 'lo', '-j', 'ACCEPT'], ...r1_0_1.ipv6Rules.slice(1)],
};

const r1_4_0: ReleaseFacts = { ...r1_1_0, release: '1.4.0', packageDefect: 'citadel.package.defect-clean-iptables' };

const r1_4_4: ReleaseFacts = {
  ...r1_4_0,
  release: '1.4.4',
  packageDefect: undefined,
  captureClean: ['/usr/local/bin/istio-clean-iptables'],
};

/** Oldest first. */
export const releaseTable: readonly ReleaseFacts[] = [
  r0_2_7,
  r0_2_12,
  r0_3_0,
  r0_4_0,
  r0_5_0,
  r0_7_1,
  r0_8_0,
  r1_0_0,
  r1_0_1,
  r1_1_0,
  r1_4_0,
  r1_4_4,
];

/** First release that is no longer this era's: its control plane is istiod. */
const afterLast = '1.5.0';

type ReleaseNumber = readonly [major: number, minor: number, patch: number];

/** Numbers of a release as tags and pins spell it (`1.0.3`, `v1.1.0-rc.1`, `1.1.0.snapshot.5`, `1.4`); undefined for anything else (`latest`, a digest). */
export function parseRelease(text: string): ReleaseNumber | undefined {
  const match = /^v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(?:(?:[-+_]|\.(?=[A-Za-z]))[\w.-]+)?$/.exec(text);
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? '0')];
}

/** Where a release stands to this era; undefined where the text is no release. */
export function eraOf(release: string): 'before' | 'citadel' | 'after' | undefined {
  const number = parseRelease(release);
  if (number === undefined) return undefined;
  if (compare(number, rowNumber(r0_2_7)) < 0) return 'before';
  return compare(number, parseRelease(afterLast) ?? number) < 0 ? 'citadel' : 'after';
}

/** Facts of a release: the newest row that is not newer. Undefined where the release is not this era's. */
export function releaseFacts(release: string): ReleaseFacts | undefined {
  const number = parseRelease(release);
  if (number === undefined || eraOf(release) !== 'citadel') return undefined;
  return releaseTable.findLast((row) => compare(rowNumber(row), number) <= 0);
}

function rowNumber(row: ReleaseFacts): ReleaseNumber {
  return parseRelease(row.release) ?? [0, 0, 0];
}

function compare(one: ReleaseNumber, other: ReleaseNumber): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
