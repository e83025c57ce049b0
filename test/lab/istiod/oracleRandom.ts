// Random workload groups from a seed: what people may write, and what they rarely do.
import type { OracleCase } from './oracleCases.ts';

/** A small generator of its own, so that a seed means the same everywhere (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

const labelKeys = [
  'app',
  'version',
  'app.kubernetes.io/name',
  'app.kubernetes.io/version',
  'service.istio.io/canonical-name',
  'tier',
  'a.b/c_d',
  'Z9',
  'z10',
];
const labelValues = ['', 'x', 'on', 'null', '1', '1.0', '1e3', '0x1F', '2024-01-02', 'v1.2_3-x', 'TRUE', 'w', '007', 'y', 'a'.repeat(63)];
const values = [
  ...labelValues,
  ...[
    '~',
    '- a',
    '? b',
    ': c',
    'a:',
    'a: b',
    'a #b',
    '#b',
    '@x',
    '`y',
    '%z',
    "it's",
    '"q"',
    '!t',
    '&a',
    '*b',
    '|',
    '>',
    '{}',
    '[]',
    ',',
    '---',
    '...',
  ],
  ...[
    ' lead',
    'trail ',
    'two\nlines',
    'ends\n',
    '\nstarts',
    ' \n',
    'tab\there',
    'ünï',
    '日本',
    '\u{1F600}',
    'back\\slash',
    '$(x)',
    'a=b',
    '<<',
    '+1',
    '.5',
    '-.inf',
    '1_000',
    '12:30',
    '0b11',
    '0o7',
    '089',
    '=',
    'x'.repeat(200),
  ],
];

export function randomCases(seed: number, count: number): readonly OracleCase[] {
  const random = randomOf(seed);
  const int = (below: number): number => Math.floor(random() * below);
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
  const maybe = (part = 0.5): boolean => random() < part;
  const some = <T>(most: number, make: () => readonly [string, T]): Record<string, T> =>
    Object.fromEntries(Array.from({ length: int(most + 1) }, make));
  const labels = (): Record<string, string> => some(4, () => [pick(labelKeys), pick(labelValues)]);
  const seconds = (): Record<string, number> =>
    some(3, () => [pick(['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']), int(100)]);
  const port = (): number => 1 + int(65535);
  const probe = (): Record<string, unknown> => ({
    ...seconds(),
    ...pick([
      () => ({
        httpGet: {
          port: port(),
          ...(maybe() ? { path: `/${pick(values)}` } : {}),
          ...(maybe() ? { httpHeaders: [{ name: 'X-A', value: pick(values) }] } : {}),
        },
      }),
      () => ({ tcpSocket: { port: port(), ...(maybe() ? { host: 'localhost' } : {}) } }),
      () => ({ exec: { command: ['sh', pick(values), pick(values)].filter((word) => word !== '') } }),
      () => ({ grpc: { port: port(), ...(maybe() ? { service: 's' } : {}) } }),
    ])(),
  });
  const proxy = (): Record<string, string> => ({
    'proxy.istio.io/config': JSON.stringify({
      ...(maybe() ? { concurrency: int(5) } : {}),
      ...(maybe() ? { statusPort: pick([0, 15020, 15021, 15090, 15999]) } : {}),
      ...(maybe() ? { drainDuration: pick(['45s', '1m', '0.5s', '1h0m1s', '1500ms', '100us']) } : {}),
      ...(maybe() ? { proxyMetadata: some(5, () => [`KEY_${int(12)}`, pick(values)]) } : {}),
      ...(maybe() ? { extraStatTags: Array.from({ length: int(4) }, () => pick(values)) } : {}),
    }),
  });
  return Array.from({ length: count }, (_none, index): OracleCase => {
    const objectProxy = maybe(0.4);
    return {
      title: `random ${index} of seed ${seed}`,
      group: {
        ...(objectProxy ? { metadata: { annotations: proxy() } } : {}),
        spec: {
          ...(maybe(0.8) ? { metadata: { labels: labels(), ...(maybe(0.4) ? { annotations: proxy() } : {}) } } : {}),
          template: {
            serviceAccount: 'vm-sa',
            ...(maybe() ? { ports: some(5, () => [pick(['http', 'grpc', 'a', 'b9', 'b10', 'tcp-x']), port()]) } : {}),
            ...(maybe(0.3) ? { network: pick(['n1', 'on']) } : {}),
            ...(maybe(0.2) ? { labels: labels() } : {}),
          },
          ...(maybe(0.6) ? { probe: probe() } : {}),
        },
      },
      // With a mesh that has metadata: istioctl panics where it has none and an annotation does.
      mesh: pick(['bare', 'rich']),
      autoRegister: maybe(),
      captureDns: maybe(),
      ...(maybe(0.4) ? { revision: pick(['canary', '1-31-0', 'default']) } : {}),
      ...(maybe(0.3) ? { address: pick(['10.0.0.5', 'fd00::5']) } : {}),
      ...(maybe(0.2) ? { externalAddress: '203.0.113.9' } : {}),
    };
  });
}
