import { createHash, X509Certificate } from 'node:crypto';
import { certificateFacts } from '../mesh/pem.ts';
import type { CertificateFacts } from '../mesh/model.ts';
import type { HostFacts, HostState, PackageState, ProbeRequest, RemoteFile, UnitState } from '../mesh/ports.ts';
import { parseDescribed } from './describe.ts';
import { parseManifest } from './manifest.ts';
import { tokenFacts } from './tokenFacts.ts';

/** Interfaces that container engines make: their addresses reach nobody else. */
const BRIDGES = /^(docker|br-|virbr|cni|flannel|veth|cali|lxc|podman|kube-)/;

/** The answer of one probe, from the lines of scripts/probe.ts, scripts/describe.ts and scripts/state.ts. `clock`: this side's time at sending and at receiving. */
export function hostState(
  request: ProbeRequest,
  lines: readonly string[],
  sudo: HostFacts['sudo'] | undefined,
  clock: { readonly sent: number; readonly received: number },
): HostState {
  const values = (word: string): string[] => lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const manifest = values('manifest')[0];
  return {
    ...(request.facts === true ? { facts: hostFacts(values, sudo, clock) } : {}),
    files: remoteFiles(request.files ?? [], lines, values),
    units: unitStates(request.units ?? [], lines),
    packages: packageStates(request.packages ?? [], values('package')),
    programs: Object.fromEntries((request.programs ?? []).map((name) => [name, values('program').includes(name)])),
    ...(request.resolve === undefined ? {} : { resolved: resolvedNames(request.resolve, values('resolved')) }),
    ...(manifest === undefined ? {} : { manifest: parseManifest(Buffer.from(manifest, 'base64').toString('utf8')) }),
  };
}

/** Each address once, in the order in which the machine would try them. */
function resolvedNames(asked: readonly string[], lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const addressesOf = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).replace(/%.*$/, ''));
  return Object.fromEntries(asked.map((name) => [name, [...new Set(addressesOf(name))]]));
}

function hostFacts(
  values: (word: string) => string[],
  sudo: HostFacts['sudo'] | undefined,
  clock: { readonly sent: number; readonly received: number },
): HostFacts {
  const one = (word: string): string => values(word)[0]?.trim() ?? '';
  const os = new Map(
    values('os').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(/^(["'])(.*)\1$/, '$2')]),
  );
  const [kind, ...target] = one('resolv').split(' ');
  const remote = Number(one('clock')) * 1000;
  const packaging = one('packaging');
  const booted = systemdTime(one('booted').replace(/^UserspaceTimestamp=/, ''));
  return {
    hostname: one('hostname'),
    addresses: values('address').flatMap((line) => {
      const [name = '', address = ''] = line.split(' ');
      return BRIDGES.test(name) || address === '' ? [] : [{ address: address.replace(/\/\d+$/, ''), interface: name }];
    }),
    ...(one('hostip') === '' ? {} : { hostnameAddress: one('hostip').split(/\s+/)[0] }),
    os: {
      id: os.get('ID') ?? '',
      version: os.get('VERSION_ID') ?? '',
      architecture: one('architecture'),
      ...(packaging === 'deb' || packaging === 'rpm' ? { packages: packaging } : {}),
    },
    loginUser: one('user'),
    sudo: sudo ?? sudoKind(one('sudo')),
    resolvConf: { kind: kind === 'file' || kind === 'link' ? kind : 'absent', ...(kind === 'link' ? { target: target.join(' ') } : {}) },
    port53: values('port53').flatMap(listener),
    clockOffsetSeconds: Math.round(((remote - (clock.sent + clock.received) / 2) / 1000) * 1000) / 1000,
    ...(booted === undefined ? {} : { bootedAt: booted }),
  };
}

function sudoKind(text: string): HostFacts['sudo'] {
  return text === 'root' || text === 'passwordless' || text === 'password' ? text : 'refused';
}

/** One line of `ss -lntup`: Netid State Recv-Q Send-Q Local:Port Peer:Port users:(("name",pid=1,fd=2)). */
function listener(line: string): { readonly process: string; readonly address: string }[] {
  const fields = line.trim().split(/\s+/);
  const local = fields[4] ?? '';
  if (!local.endsWith(':53')) return [];
  const names = [...line.matchAll(/\("([^"]+)",pid=/g)].map((match) => match[1] ?? '');
  const address = local.slice(0, -':53'.length);
  return (names.length === 0 ? [''] : [...new Set(names)]).map((process) => ({ process, address }));
}

function remoteFiles(
  asked: NonNullable<ProbeRequest['files']>,
  lines: readonly string[],
  values: (word: string) => string[],
): RemoteFile[] {
  const described = parseDescribed(lines);
  const indexed = (word: string): Map<number, string> =>
    new Map(values(word).map((line) => [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]));
  const texts = indexed('text');
  const publics = indexed('public');
  const claims = indexed('claims');
  return asked.map(({ path, want }, index) => {
    const { exists, kind, mode, owner, group, size, sha256 } = described.get(path) ?? { exists: false };
    const text = texts.has(index) ? Buffer.from(texts.get(index) ?? '', 'base64').toString('utf8') : undefined;
    const publicKey = publics.get(index);
    const certificate = want === 'certificate' ? (firstCertificate(text) ?? keyFacts(publicKey)) : undefined;
    const token = want === 'token' ? tokenFacts(claims.get(index)) : undefined;
    const shown = want === 'text' ? text : undefined;
    return {
      path,
      exists,
      kind,
      mode,
      owner,
      group,
      size,
      sha256,
      ...(shown === undefined ? {} : { text: shown }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(token === undefined ? {} : { token }),
    };
  });
}

/** Of the first certificate in the text; undefined where there is none that can be read. */
function firstCertificate(text: string | undefined): CertificateFacts | undefined {
  if (text?.includes('-----BEGIN CERTIFICATE-----') !== true) return undefined;
  try {
    return certificateFacts(new X509Certificate(text));
  } catch {
    return undefined;
  }
}

/** For a private key: only the SHA-256 of its public half (SubjectPublicKeyInfo, DER); undefined where openssl could not read it. */
function keyFacts(base64: string | undefined): CertificateFacts | undefined {
  if (base64 === undefined || base64 === '') return undefined;
  const fingerprint = (createHash('sha256').update(base64, 'base64').digest('hex').toUpperCase().match(/../g) ?? []).join(':');
  return { subject: '', issuer: '', uris: [], notBefore: '', notAfter: '', fingerprint };
}

export function unitStates(asked: readonly string[], lines: readonly string[]): UnitState[] {
  const blocks: Map<string, string>[] = [];
  for (const line of lines) {
    if (line === 'unit') blocks.push(new Map());
    const property = /^unit (\w+)=(.*)$/.exec(line);
    if (property?.[1] !== undefined) blocks.at(-1)?.set(property[1], property[2] ?? '');
    if (line.startsWith('log ')) blocks.at(-1)?.set('log', Buffer.from(line.slice(4), 'base64').toString('utf8').trimEnd());
  }
  return asked.map((name, index) => {
    const block = blocks[index];
    const load = block?.get('LoadState');
    const since = systemdTime(block?.get('ActiveEnterTimestamp') ?? '');
    const log = block?.get('log');
    return {
      name,
      load: load === 'loaded' || load === 'masked' || load === 'error' ? load : 'not-found',
      active: block?.get('ActiveState') ?? 'unknown',
      sub: block?.get('SubState') ?? '',
      enabled: block?.get('UnitFileState') ?? '',
      restarts: Number(block?.get('NRestarts') ?? 0),
      ...(since === undefined ? {} : { since }),
      ...(log === undefined || log === '' ? {} : { log }),
    };
  });
}

export function packageStates(asked: readonly string[], lines: readonly string[]): PackageState[] {
  const found = new Map(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')]));
  return asked.map((name) => {
    const [, version, status] = found.get(name) ?? [];
    return {
      name,
      ...(version === undefined || version === '' || status?.endsWith(' installed') !== true ? {} : { version }),
      ...(status === undefined ? {} : { status }),
    };
  });
}

/** `Mon 2026-11-23 18:40:00 UTC` as ISO 8601. */
function systemdTime(text: string): string | undefined {
  const match = /(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) UTC/.exec(text);
  return match === null ? undefined : `${match[1] ?? ''}T${match[2] ?? ''}.000Z`;
}
