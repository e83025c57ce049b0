import { listAt, numberAt, textAt } from '../cluster/untrusted.ts';
import type { Check, VmScope, WorkloadGroups } from '../era.ts';
import { isMeshError } from '../errors.ts';
import { failed, noProgram, passed, skipped, timedOut, type Judgement } from '../host/verdicts.ts';
import { message } from '../messages.ts';
import { isAddress } from '../names.ts';
import type { WorkloadEntry } from '../model.ts';
import type { CallOptions, CommandOutput, KubeObject } from '../ports.ts';
import type { EntryOf } from './connected.ts';
import { lastLine } from './checkIstiod.ts';

/** The machine as the cluster sees it, and a service of the mesh from the machine (istiod facts 2.6, 3.4, 5). */

/** The agent registers the first address unless cluster.env names one: Docker bridges and IPv6 surprise (istiod facts 2.3). */
export function entryCheck(scope: VmScope, groups: Pick<WorkloadGroups, 'entryOf' | 'read'>, options: CallOptions): Check {
  return {
    id: 'entry',
    command: { argv: ['hostname', '--all-ip-addresses'] },
    async judge(output) {
      const entry = await seen(scope, groups.entryOf, options);
      const missing = 'membership' in entry && entry.membership === 'never';
      return judgeEntry(scope, output, entry, missing ? await unknownEntries(scope, groups, options) : []);
    },
  };
}

/** Entries of the VM's group that are of no VM of the inventory; none where the account may not read them. */
async function unknownEntries({ vm, ...scope }: VmScope, groups: Pick<WorkloadGroups, 'read'>, options: CallOptions) {
  try {
    const found = await groups.read(scope, options);
    const own = found.find(({ ref }) => ref.namespace === vm.namespace && ref.name === vm.workloadGroup);
    return own?.entries.filter((entry) => entry.vm === undefined) ?? [];
  } catch (error) {
    if (!isMeshError(error)) throw error;
    return [];
  }
}

/** What the cluster says, or why it says nothing. */
async function seen(scope: VmScope, entryOf: EntryOf, options: CallOptions): Promise<WorkloadEntry | Judgement> {
  try {
    return await entryOf(scope, options);
  } catch (error) {
    if (!isMeshError(error)) throw error;
    return error.code.startsWith('kube.') ? skipped(error.userMessage) : failed(error.userMessage, undefined, error.nextStep);
  }
}

/** `unknown`: entries of the group that are of no known VM: where the machine's own is missing it may have registered as one of them. */
export function judgeEntry(
  { vm, address: wanted = '-' }: Pick<VmScope, 'vm' | 'address'>,
  output: CommandOutput,
  entry: WorkloadEntry | Judgement,
  unknown: readonly WorkloadEntry[] = [],
): Judgement {
  if (output.timedOut) return timedOut();
  if ('verdict' in entry) return entry;
  const { membership, reason = '-', address = '', ref } = entry;
  const args = { entry: ref.name, vm: vm.name, reason, since: entry.since ?? '-', address };
  const next = message('istiod.check.entry.next');
  const addresses = output.stdout.trim().split(/\s+/);
  const other = unknown.find((one) => one.address !== undefined && addresses.includes(one.address));
  if (membership === 'never' && other?.address !== undefined)
    return failed(
      message('istiod.check.entry.elsewhere', { vm: vm.name, entry: other.ref.name, address: other.address, wanted }),
      message('istiod.check.entry.elsewhere.why'),
      message('istiod.check.entry.elsewhere.next', { vm: vm.name, address: other.address }),
    );
  if (membership === 'never') return failed(message('istiod.check.entry.never', args), message('istiod.check.entry.never.why'), next);
  if (membership === 'unhealthy')
    return failed(
      message('istiod.check.entry.unhealthy', args),
      message('istiod.check.entry.unhealthy.why'),
      message('istiod.check.entry.unhealthy.next'),
    );
  if (membership === 'disconnected' || membership === 'stale')
    return failed(message(`istiod.check.entry.${membership}`, args), undefined, next);
  if (vm.externalAddress === undefined && address !== '' && !addresses.includes(address))
    return failed(
      message('istiod.check.entry.address', { ...args, found: addresses.join(', ') }),
      message('istiod.check.entry.address.why'),
      message('istiod.check.entry.address.next', args),
    );
  return passed(message('istiod.check.entry.ok', args));
}

export interface MeshPage {
  readonly url: string;
  readonly service: string;
  /** What curl takes in place of a name server: `NAME:PORT:CLUSTER-IP`. */
  readonly resolve: string | undefined;
}

/** A Service of the cluster that answers HTTP and has endpoints: productpage where it is, else the first. */
export async function meshPage({ api, entry }: Pick<VmScope, 'api' | 'entry'>, options: CallOptions): Promise<MeshPage | undefined> {
  const [services, slices] = await Promise.all([
    api.list({ apiVersion: 'v1', kind: 'Service' }, options),
    api.list({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }, options),
  ]);
  const served = new Set(
    slices
      .filter((slice) => listAt(slice, 'endpoints').length > 0)
      .map((slice) => `${slice.metadata.namespace ?? ''}/${textAt(slice, 'metadata', 'labels', 'kubernetes.io/service-name') ?? ''}`),
  );
  const pages = services
    .filter(({ metadata }) => served.has(`${metadata.namespace ?? ''}/${metadata.name}`) && metadata.namespace !== entry.istio.namespace)
    .flatMap((service) => pageOf(service, entry.clusterDomain));
  return pages.find(({ service }) => service === 'bookinfo/productpage') ?? pages[0];
}

function pageOf(service: KubeObject, domain: string): readonly MeshPage[] {
  const port = listAt(service, 'spec', 'ports').find((one) =>
    /^(http|http2)(-|$)/.test(textAt(one, 'appProtocol') ?? textAt(one, 'name') ?? ''),
  );
  const number = numberAt(port, 'port');
  const { name, namespace = '' } = service.metadata;
  if (number === undefined) return [];
  const host = `${name}.${namespace}.svc.${domain}`;
  const address = textAt(service, 'spec', 'clusterIP') ?? '';
  return [
    {
      url: `http://${host}:${number}/`,
      service: `${namespace}/${name}`,
      resolve: isAddress(address) ? `${host}:${number}:${address.includes(':') ? `[${address}]` : address}` : undefined,
    },
  ];
}

/** curl could not resolve the host. */
const NO_NAME = 6;

/** Where DNS is not captured, the name is left to the machine's owner, and only the way is asked for. */
export function serviceCheck({ vm }: VmScope, page: MeshPage | undefined): Check {
  const url = page?.url ?? '-';
  const resolve = vm.captureDns === false && page?.resolve !== undefined ? ['--resolve', page.resolve] : [];
  return {
    id: 'mesh-service',
    command: { argv: ['curl', '-sS', '-m', '5', '-o', '/dev/null', '-D', '-', ...resolve, url], timeoutMs: 15_000 },
    ...(page === undefined ? { skipped: message('istiod.check.service.skipped') } : {}),
    judge: async (output) => judgeService(url, output),
  };
}

/** Envoy signs its answers; what a service itself says, an error too, shows that it was reached. */
export function judgeService(url: string, output: CommandOutput): Judgement {
  if (output.timedOut) return timedOut();
  if (output.exitCode === 127) return noProgram('curl', 'curl');
  const next = message('istiod.check.service.next');
  if (output.exitCode === NO_NAME || output.stderr.includes('Resolving timed out'))
    return failed(message('check.http.name', { url }), message('istiod.check.service.name.why'), message('istiod.check.service.name.next'));
  if (output.exitCode !== 0)
    return failed(
      message('istiod.check.service.failed', { url, text: lastLine(output.stderr) }),
      message('istiod.check.service.failed.why'),
      next,
    );
  const code = /^HTTP\/\S+ (\d{3})/m.exec(output.stdout)?.[1] ?? '';
  if (!/^server: envoy\s*$/im.test(output.stdout))
    return failed(
      message('istiod.check.service.past', { url }),
      message('istiod.check.service.past.why'),
      message('istiod.check.capture.next'),
    );
  if (code === '503' || code === '502' || code === '504')
    return failed(message('check.http.status', { code, url }), message('istiod.check.service.503.why'), next);
  return passed(message('istiod.check.service.ok', { url, code }));
}
