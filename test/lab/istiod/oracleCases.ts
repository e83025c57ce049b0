// Workload groups and meshes of many kinds, for the comparison with istioctl. Every case is data: nothing here is made by the code under test.

export interface OracleGroup {
  readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
    readonly template: Record<string, unknown>;
    readonly probe?: Record<string, unknown>;
  };
}

export interface OracleCase {
  readonly title: string;
  readonly group: OracleGroup;
  /** Key of `meshes`. */
  readonly mesh?: string;
  readonly revision?: string;
  /** Suffix of the namespace, where it is not the usual one. */
  readonly namespace?: string;
  readonly autoRegister?: boolean;
  readonly captureDns?: boolean;
  readonly address?: string;
  readonly externalAddress?: string;
  /** Address of the gateway that the inventory names. */
  readonly gateway?: string;
  readonly clusterId?: string;
}

export const meshes: Readonly<Record<string, string>> = {
  plain: 'defaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n  proxyMetadata: {}\ntrustDomain: cluster.local\n',
  empty: 'defaultConfig:\n  concurrency: 2\n',
  // Nothing of its own but the metadata that keeps istioctl from its panic.
  bare: 'defaultConfig:\n  proxyMetadata:\n    BASE: "1"\n',
  rich: `
trustDomain: corp.example
rootNamespace: istio-system
enablePrometheusMerge: true
defaultConfig:
  meshId: mesh-1
  discoveryAddress: istiod.istio-system.svc:15012
  concurrency: 0
  statusPort: 15021
  drainDuration: 1m30s
  termination_drain_duration: 5.25s
  statNameLength: 200
  proxyAdminPort: 15000
  controlPlaneAuthPolicy: MUTUAL_TLS
  interceptionMode: TPROXY
  holdApplicationUntilProxyStarts: false
  tracing:
    sampling: 12.5
    maxPathTagLength: 256
    zipkin: { address: 'zipkin.istio-system:9411' }
    customTags:
      env: { literal: { value: 'yes' } }
      cloud.region: { environment: { name: REGION, defaultValue: '' } }
      user-agent: { header: { name: User-Agent, default_value: none } }
    tlsSettings: { mode: ISTIO_MUTUAL, subjectAltNames: ['a.example', '10.0.0.1', '0x1F'] }
  extraStatTags: [b, a, 'on', '1e3', '2024-01-02', '1:30', 'a: b', '#x', '- y', "it's"]
  proxyStatsMatcher:
    inclusionRegexps: ['.*upstream_rq_.*', '[a-z]+', '*']
  image: { imageType: distroless }
  gatewayTopology: { numTrustedProxies: 2, forwardClientCertDetails: APPEND_FORWARD, proxyProtocol: {} }
  privateKeyProvider: { cryptomb: { pollDelay: 10ms, fallback: true } }
  proxyHeaders:
    server: { disabled: true }
    forwardedClientCert: SANITIZE_SET
    setCurrentClientCertDetails: { uri: true, dns: false }
  envoyAccessLogService: { address: 'als:9001', tcpKeepalive: { probes: 3, time: 600s, interval: 0.5s } }
  runtimeValues: { 'overload.global_downstream_max_connections': '100000', b10: '1', b9: '2' }
  fileFlushInterval: 1s
  caCertificatesPem: ["-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n", "one\\ntwo"]
  connectionSettings: { profile: EDGE, httpIdleTimeout: 1h, httpMaxConcurrentStreams: 100 }
  proxyMetadata:
    ISTIO_META_DNS_CAPTURE: "false"
    EMPTY: ""
    QUOTED: it's "quoted" $HOME \`x\`
    PLAIN: w=w
    MULTI: "one\\ntwo\\n"
    LEADING: " x"
    Umlaut: äöü
    EMOJI: "\\U0001F600"
    TAB: "a\\tb"
    ISTIO_META_WORKLOAD_NAME: replaced
    a1: x
    a10: 'y'
    a9: z
`,
};

const port = (more: Record<string, unknown>): OracleGroup => ({ spec: { template: { serviceAccount: 'vm-sa' }, probe: more } });
const group = (
  template: Record<string, unknown> = {},
  more: Partial<OracleGroup['spec']> = {},
  metadata?: OracleGroup['metadata'],
): OracleGroup => ({
  ...(metadata === undefined ? {} : { metadata }),
  spec: { template: { serviceAccount: 'vm-sa', ...template }, ...more },
});
const proxy = (text: string): { annotations: Record<string, string> } => ({ annotations: { 'proxy.istio.io/config': text } });

export const cases: readonly OracleCase[] = [
  { title: 'nothing but an account', group: group() },
  { title: 'no account', group: { spec: { template: {} } } },
  { title: 'an app label', group: group({}, { metadata: { labels: { app: 'mysql' } } }) },
  {
    title: 'every canonical label',
    group: group(
      {},
      {
        metadata: {
          labels: {
            app: 'a',
            'app.kubernetes.io/name': 'b',
            'service.istio.io/canonical-name': 'c',
            version: 'v1',
            'app.kubernetes.io/version': 'v2',
            'service.istio.io/canonical-revision': 'v3',
          },
        },
      },
    ),
  },
  {
    title: 'kubernetes labels',
    group: group({}, { metadata: { labels: { 'app.kubernetes.io/name': 'b', 'app.kubernetes.io/version': '2' } } }),
  },
  { title: 'empty label values', group: group({}, { metadata: { labels: { app: '', version: '', z: '' } } }) },
  {
    title: 'labels of the template win',
    group: group({ labels: { app: 'template', more: 'x' } }, { metadata: { labels: { app: 'metadata' } } }),
  },
  { title: 'one port', group: group({ ports: { mysql: 3306 } }) },
  { title: 'many ports', group: group({ ports: { http: 8080, grpc: 7070, a: 1, z: 65535, 'b-10': 10, 'b-9': 9 } }) },
  { title: 'a network, a locality and a weight', group: group({ network: 'vm-net', locality: 'eu/1/a', weight: 20 }) },
  { title: 'an http probe', group: port({ periodSeconds: 5, httpGet: { port: 8080 } }) },
  {
    title: 'an http probe with everything',
    group: port({
      initialDelaySeconds: 1,
      timeoutSeconds: 2,
      periodSeconds: 3,
      successThreshold: 4,
      failureThreshold: 5,
      httpGet: {
        path: '/healthz?x=1#y',
        port: 8443,
        host: '127.0.0.1',
        scheme: 'HTTPS',
        httpHeaders: [
          { name: 'Host', value: 'a b: c' },
          { name: 'X-Empty', value: '' },
        ],
      },
    }),
  },
  { title: 'a tcp probe', group: port({ tcpSocket: { port: 3306, host: 'localhost' } }) },
  { title: 'an exec probe', group: port({ exec: { command: ['/bin/sh', '-c', 'test -f /ok && echo "yes: no" # x', 'true'] } }) },
  { title: 'a grpc probe', group: port({ failureThreshold: 3, grpc: { port: 9090, service: 'health' } }) },
  { title: 'auto-registration', group: group({ ports: { mysql: 3306 } }, { metadata: { labels: { app: 'mysql' } } }), autoRegister: true },
  { title: 'no capture of DNS', group: group(), captureDns: false },
  { title: 'no capture of DNS, as the mesh has it', group: group(), captureDns: false, mesh: 'rich' },
  { title: 'an own address', group: group(), address: '10.0.0.5' },
  { title: 'an own IPv6 address', group: group(), address: 'fd00::5', autoRegister: true },
  { title: 'an external address', group: port({ tcpSocket: { port: 22 } }), address: '10.0.0.5', externalAddress: '203.0.113.9' },
  { title: 'an IPv6 gateway', group: group(), gateway: '2001:db8::1' },
  { title: 'a revision', group: group(), revision: '1-31-0' },
  {
    title: 'a revision, with all of a rich mesh',
    group: group({ ports: { a: 1 } }, { metadata: { labels: { app: 'x' } } }),
    revision: 'canary',
    mesh: 'rich',
    autoRegister: true,
  },
  { title: 'a revision of a mesh without a discovery address', group: group(), revision: 'canary', mesh: 'bare' },
  { title: 'the revision called default', group: group(), revision: 'default' },
  { title: 'another namespace', group: group({ serviceAccount: 'other' }), namespace: 'b' },
  { title: 'another cluster ID', group: group(), clusterId: 'other cluster' },
  {
    title: 'a rich mesh',
    group: group({ ports: { http: 80 } }, { metadata: { labels: { app: 'x', version: 'v1' } } }),
    mesh: 'rich',
    address: '10.9.8.7',
  },
  {
    title: 'the annotation of the group itself',
    group: group({}, {}, proxy('concurrency: 4\nstatusPort: 15099\nproxyMetadata:\n  BASE: "2"\n  NEW: "true"\n')),
    mesh: 'bare',
  },
  {
    title: 'the annotation for the workloads',
    group: group(
      {},
      {
        metadata: proxy('{"tracing":{"sampling":100,"openCensusAgent":{"address":"x:1","context":["B3",1]}},"proxyMetadata":{"BASE":"3"}}'),
      },
    ),
    mesh: 'bare',
  },
  {
    title: 'both annotations on a rich mesh',
    group: group(
      {},
      {
        metadata: {
          labels: { app: 'x' },
          ...proxy(
            'statusPort: 15090\ntracing: {stackdriver: {debug: true, maxNumberOfAttributes: 7}}\nmeshId: m2\nproxyMetadata: {A: w}\n',
          ),
        },
      },
      proxy(
        'tracingServiceName: CANONICAL_NAME_ONLY\ntracing: {lightstep: {address: z, accessToken: "007"}}\nproxyMetadata: {A: "1", EMPTY: full}\n',
      ),
    ),
    mesh: 'rich',
    autoRegister: true,
  },
  {
    title: 'an annotation with a probe of its own, and a group without',
    group: group({}, {}, proxy('readinessProbe: {httpGet: {port: 1}}')),
    mesh: 'bare',
  },
  {
    title: 'an annotation that takes back what the mesh says',
    group: group({}, {}, proxy('statusPort: 0\nextraStatTags: []\nimage: {}\nruntimeValues: {}\nstatNameLength: null')),
    mesh: 'rich',
  },
  {
    title: 'an annotation that sets zeros',
    group: group({}, {}, proxy('concurrency: 0\nserviceCluster: ""\nstatNameLength: 0\nholdApplicationUntilProxyStarts: null\n')),
    mesh: 'bare',
  },
];
