import type { VmScope } from '../era.ts';
import { fileOf, installedVersion } from '../host/hostState.ts';
import { pairFits } from '../host/keyPair.ts';
import type { Sidecar } from '../host/sidecar.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { HostState, ProbeRequest, PushDirectory } from '../ports.ts';
import { explainLog, logCommand } from './agentLog.ts';
import { hostInputs } from './generate.ts';
import { CERT_CHAIN, KEY, OWNER, TOKEN, UNIT } from './paths.ts';
import { obstacle, preflightNotes } from './preflight.ts';
import { isBefore } from './release.ts';

/** The sidecar package of Istio 1.8 and later: pilot-agent, Envoy, one unit (istiod facts 2.1-2.3). */

export const PACKAGE = 'istio-sidecar';
export const START_SCRIPT = '/usr/local/bin/istio-start.sh';
const AGENT = '/usr/local/bin/pilot-agent';
/** Copy of a hosts file that others have changed since the join, while a leave brings the originals back. */
export const HOSTS_KEPT = '/run/mesh-expansion-hosts';

const needs: Sidecar['needs'] = [
  { program: 'ip', package: 'iproute2', rpm: 'iproute' },
  { program: 'iptables', package: 'iptables' },
  { program: 'sudo', package: 'sudo' },
  { program: 'hostname', package: 'hostname' },
  { program: 'curl', package: 'curl' },
];

/** What the agent writes into, and files lie in: its own (istiod facts 2.4, the guide's last step). */
const directories: readonly PushDirectory[] = [
  '/etc/certs',
  '/etc/istio/config',
  '/etc/istio/proxy',
  '/var/lib/istio/envoy',
  '/var/run/secrets',
  '/var/run/secrets/tokens',
].map((path) => ({ path, mode: 0o755, owner: OWNER, group: OWNER }));

export function sidecarOf(scope: VmScope): Sidecar {
  return {
    era: 'istiod',
    packages: [PACKAGE],
    packageHint: message('istiod.package.hint', { release: scope.controlPlane.release }),
    needs,
    // Logs stay: they are all that tells afterwards what was.
    creates: { paths: ['/etc/istio', '/var/lib/istio', '/etc/certs'], users: [OWNER], groups: [OWNER] },
    directories,
    units: [UNIT],
    capturing: UNIT,
    probe: (files) => wholeProbe(scope, files),
    cleanCommands: (state) => (fileOf(state, START_SCRIPT)?.exists === true ? [{ argv: cleaner(state), asRoot: true }] : []),
    obstacle,
    notes: preflightNotes,
    async unitTrouble(host, unit, options) {
      const { stdout } = await host.run(logCommand, options);
      const why = explainLog(stdout, unit.since);
      const log = stdout.trim() === '' ? (unit.log ?? '') : stdout;
      return { log, ...(why === undefined ? {} : { why: { id: why.id, args: { ...why.args, vm: scope.vm.name }, next: why.next } }) };
    },
  };
}

/** Before 1.10 the script knows no `clean`: it would capture again and start the agent. Its paths are relative to the root directory (istiod facts 2.3). */
function cleaner(state: HostState): readonly string[] {
  const version = installedVersion(state, PACKAGE);
  const knows = version === undefined || !isBefore(version, 10);
  return ['env', '-C', '/', ...(knows ? [START_SCRIPT, 'clean'] : [AGENT, 'istio-clean-iptables'])];
}

function wholeProbe(scope: VmScope, files: readonly GeneratedFile[]): ProbeRequest {
  const inputs = hostInputs(scope, scope.vm);
  const asked = inputs.files ?? [];
  const more = [...files.map(({ path }) => path), START_SCRIPT, HOSTS_KEPT].filter((path) => !asked.some((one) => one.path === path));
  return {
    ...inputs,
    files: [...asked, ...more.map((path) => ({ path, want: 'hash' }) as const)],
    units: [UNIT],
    packages: [PACKAGE, ...needs.map((need) => need.package)],
    programs: needs.map(({ program }) => program),
  };
}

/** A certificate on the machine that its agent can renew with, by the clock of this side (istiod facts 0.4). */
export function hasLivingCertificate(state: HostState, now: Date, leftPart = 0): boolean {
  const certificate = fileOf(state, CERT_CHAIN)?.certificate;
  if (certificate === undefined || pairFits(state, CERT_CHAIN, KEY) === false) return false;
  const [begins, ends] = [Date.parse(certificate.notBefore), Date.parse(certificate.notAfter)];
  return ends - now.getTime() > leftPart * (ends - begins);
}

/**
 * The files with what must be restarted for each: a token alone is read when the agent next needs one, and it needs one at once only where its certificate
 * is over (istiod facts 2.4); everything else is read at the start.
 */
export function withReaders(files: readonly GeneratedFile[], state: HostState, now: Date): readonly GeneratedFile[] {
  const token = hasLivingCertificate(state, now) ? [] : [UNIT];
  return files.map((file) => ({ ...file, readBy: file.path === TOKEN ? token : [UNIT] }));
}
