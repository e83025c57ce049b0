/** Fields of istiod's messages by their JSON names: what istioctl reads and writes of a proxy configuration and a probe (istio/api, ProxyConfig and WorkloadGroup). */

/** `int64` is written as text; the `...Value` kinds are written also where they are zero or false. */
export type FieldKind =
  | 'string'
  | 'bool'
  | 'int'
  | 'double'
  | 'duration'
  | 'BoolValue'
  | 'IntValue'
  | 'Int64Value'
  | { readonly oneOf: readonly string[] }
  | { readonly message: MessageShape }
  | { readonly list: FieldKind }
  | { readonly map: FieldKind };

export interface MessageShape {
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** Groups of fields of which one can be set; such a field is written also where it is zero. */
  readonly choices?: readonly (readonly string[])[];
}

const shape = (fields: MessageShape['fields'], ...choices: readonly (readonly string[])[]): { readonly message: MessageShape } => ({
  message: { fields, choices },
});
const values = (...oneOf: readonly string[]): FieldKind => ({ oneOf });
const disabled = shape({ disabled: 'BoolValue' });
const enabled = shape({ enabled: 'BoolValue' });
const address = shape({ address: 'string' });

const clientTls = shape({
  mode: values('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
  clientCertificate: 'string',
  privateKey: 'string',
  caCertificates: 'string',
  credentialName: 'string',
  subjectAltNames: { list: 'string' },
  sni: 'string',
  insecureSkipVerify: 'BoolValue',
  caCrl: 'string',
});

const remoteService = shape({
  address: 'string',
  tlsSettings: clientTls,
  tcpKeepalive: shape({ probes: 'int', time: 'duration', interval: 'duration' }),
});

const customTag = shape(
  {
    literal: shape({ value: 'string' }),
    environment: shape({ name: 'string', defaultValue: 'string' }),
    header: shape({ name: 'string', defaultValue: 'string' }),
  },
  ['literal', 'environment', 'header'],
);

const tracers = {
  zipkin: address,
  lightstep: shape({ address: 'string', accessToken: 'string' }),
  datadog: address,
  stackdriver: shape({
    debug: 'bool',
    maxNumberOfAttributes: 'Int64Value',
    maxNumberOfAnnotations: 'Int64Value',
    maxNumberOfMessageEvents: 'Int64Value',
  }),
  openCensusAgent: shape({
    address: 'string',
    context: { list: values('UNSPECIFIED', 'W3C_TRACE_CONTEXT', 'GRPC_BIN', 'CLOUD_TRACE_CONTEXT', 'B3') },
  }),
} as const;

const tracing = shape(
  {
    ...tracers,
    customTags: { map: customTag },
    maxPathTagLength: 'int',
    sampling: 'double',
    tlsSettings: clientTls,
    enableIstioTags: 'BoolValue',
  },
  Object.keys(tracers),
);

const forwardDetails = values('UNDEFINED', 'SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY');
const keyProvider = shape({ pollDelay: 'duration', fallback: 'BoolValue' });

const proxyHeaders = shape({
  forwardedClientCert: forwardDetails,
  setCurrentClientCertDetails: shape({ subject: 'BoolValue', cert: 'BoolValue', chain: 'BoolValue', dns: 'BoolValue', uri: 'BoolValue' }),
  requestId: disabled,
  server: shape({ disabled: 'BoolValue', value: 'string' }),
  attemptCount: disabled,
  envoyDebugHeaders: disabled,
  metadataExchangeHeaders: shape({ mode: values('UNDEFINED', 'IN_MESH') }),
  preserveHttp1HeaderCase: 'BoolValue',
  xForwardedHost: enabled,
  xForwardedPort: enabled,
});

const connectionSettings = shape({
  profile: values('SIDECAR', 'EDGE'),
  listenerPerConnectionBufferLimitBytes: 'IntValue',
  clusterPerConnectionBufferLimitBytes: 'IntValue',
  httpIdleTimeout: 'duration',
  httpMaxConnectionDuration: 'duration',
  httpDrainTimeout: 'duration',
  httpRequestTimeout: 'duration',
  httpRequestHeadersTimeout: 'duration',
  httpStreamIdleTimeout: 'duration',
  httpMaxStreamDuration: 'duration',
  httpMaxConcurrentStreams: 'IntValue',
  http2InitialStreamWindowSize: 'IntValue',
  http2InitialConnectionWindowSize: 'IntValue',
  httpHeadersWithUnderscoresAction: values(
    'HEADERS_WITH_UNDERSCORES_UNSPECIFIED',
    'HEADERS_WITH_UNDERSCORES_ALLOW',
    'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST',
    'HEADERS_WITH_UNDERSCORES_DROP_HEADER',
  ),
  httpMergeSlashes: 'BoolValue',
  httpPathWithEscapedSlashesAction: values(
    'PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED',
    'KEEP_UNCHANGED',
    'REJECT_REQUEST',
    'UNESCAPE_AND_REDIRECT',
    'UNESCAPE_AND_FORWARD',
  ),
  listenerConnectionLimit: 'IntValue',
  globalDownstreamConnectionLimit: 'IntValue',
});

/** WorkloadGroup `spec.probe` (istiod facts 3.5). */
export const probeShape = shape(
  {
    initialDelaySeconds: 'int',
    timeoutSeconds: 'int',
    periodSeconds: 'int',
    successThreshold: 'int',
    failureThreshold: 'int',
    httpGet: shape({
      path: 'string',
      port: 'int',
      host: 'string',
      scheme: 'string',
      httpHeaders: { list: shape({ name: 'string', value: 'string' }) },
    }),
    tcpSocket: shape({ host: 'string', port: 'int' }),
    exec: shape({ command: { list: 'string' } }),
    grpc: shape({ port: 'int', service: 'string' }),
  },
  ['httpGet', 'tcpSocket', 'exec', 'grpc'],
).message;

/** MeshConfig `defaultConfig`. */
export const proxyConfigShape = shape(
  {
    configPath: 'string',
    binaryPath: 'string',
    serviceCluster: 'string',
    tracingServiceName: values('APP_LABEL_AND_NAMESPACE', 'CANONICAL_NAME_ONLY', 'CANONICAL_NAME_AND_NAMESPACE'),
    drainDuration: 'duration',
    discoveryAddress: 'string',
    discoveryRefreshDelay: 'duration',
    zipkinAddress: 'string',
    statsdUdpAddress: 'string',
    envoyMetricsServiceAddress: 'string',
    proxyAdminPort: 'int',
    availabilityZone: 'string',
    controlPlaneAuthPolicy: values('NONE', 'MUTUAL_TLS'),
    customConfigFile: 'string',
    statNameLength: 'int',
    concurrency: 'IntValue',
    proxyBootstrapTemplatePath: 'string',
    interceptionMode: values('REDIRECT', 'TPROXY', 'NONE'),
    tracing,
    sds: shape({ enabled: 'bool', k8sSaJwtPath: 'string' }),
    envoyAccessLogService: remoteService,
    envoyMetricsService: remoteService,
    proxyMetadata: { map: 'string' },
    runtimeValues: { map: 'string' },
    statusPort: 'int',
    extraStatTags: { list: 'string' },
    gatewayTopology: shape({ numTrustedProxies: 'int', forwardClientCertDetails: forwardDetails, proxyProtocol: shape({}) }),
    terminationDrainDuration: 'duration',
    meshId: 'string',
    readinessProbe: { message: probeShape },
    proxyStatsMatcher: shape({
      inclusionPrefixes: { list: 'string' },
      inclusionSuffixes: { list: 'string' },
      inclusionRegexps: { list: 'string' },
    }),
    holdApplicationUntilProxyStarts: 'BoolValue',
    caCertificatesPem: { list: 'string' },
    image: shape({ imageType: 'string' }),
    privateKeyProvider: shape({ cryptomb: keyProvider, qat: keyProvider }, ['cryptomb', 'qat']),
    proxyHeaders,
    fileFlushInterval: 'duration',
    fileFlushMinSizeKb: 'int',
    statsCompression: 'BoolValue',
    connectionSettings,
  },
  ['serviceCluster', 'tracingServiceName'],
).message;
