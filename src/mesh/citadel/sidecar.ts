import { unitOf } from '../host/hostState.ts';
import type { Need, Sidecar } from '../host/sidecar.ts';
import { clockProblem } from '../host/preflight.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { HostState, ProbeRequest, UnitState, VmHost, CallOptions } from '../ports.ts';
import { problem } from '../problem.ts';
import { captureCommands, cleanerPaths } from './capture.ts';
import { CERT_CHAIN } from './certificates.ts';
import { DNSMASQ } from './dnsmasq.ts';
import { factsOf } from './factsOf.ts';
import { hostInputs } from './generate.ts';
import { adapt } from './hostFiles.ts';
import { explainLog, logCommand } from './nodeAgentLog.ts';
import { releaseFacts, type ReleaseFacts } from './releases.ts';
import { RESOLVED } from './resolver.ts';

/** Tools that names and checks need on the VM, with the Debian package of each (citadel facts 2). dnsmasq-base alone has the program, but no unit. */
const tools: readonly Need[] = [
  { program: 'dnsmasq', package: 'dnsmasq', unit: DNSMASQ },
  { program: 'host', package: 'bind9-host' },
  { program: 'curl', package: 'curl' },
];

/** The sidecar of a release: proxy and node agent (citadel facts 4). Throws `cluster.release-unsupported`. */
export function sidecarOf(scope: Parameters<typeof factsOf>[0]): Sidecar {
  const facts = factsOf(scope);
  return {
    era: 'citadel',
    packages: facts.packages,
    packageHint: message('citadel.package.hint'),
    needs: [...tools, ...facts.packageNeeds],
    creates: {
      paths: ['/etc/istio', '/var/lib/istio', '/var/log/istio', '/etc/certs'],
      users: ['istio-proxy'],
      groups: ['istio-proxy'],
    },
    units: unitNames(facts),
    capturing: facts.units.sidecar,
    probe: (files) => wholeProbe(facts, files),
    cleanCommands: (state) => captureCommands(facts, state).map((argv) => ({ argv, asRoot: true })),
    adapt,
    packageDefect,
    obstacle({ vm, ...scope }, state, files) {
      const { architecture, id, version } = state.facts?.os ?? { architecture: '', id: '', version: '' };
      if (architecture === '') return problem('citadel.os-unsupported', { host: vm.host, os: `${id} ${version}`.trim() });
      const content = files.find(({ path }) => path === CERT_CHAIN)?.content;
      return content?.kind === 'secret' && content.facts !== undefined ? clockProblem({ vm, ...scope }, state, content.facts) : undefined;
    },
    notes(_, state) {
      const ipv6 = facts.ipv6Rules.length === 0 ? undefined : state.facts?.addresses.find((one) => one.address.includes(':'));
      return ipv6 === undefined ? [] : [{ kind: 'note', text: message('citadel.preflight.ipv6', { address: ipv6.address }) }];
    },
    unitTrouble: (host, unit, options) => unitTrouble(facts, host, unit, options),
  };
}

export function unitNames(facts: ReleaseFacts): readonly string[] {
  return [facts.units.nodeAgent, facts.units.sidecar];
}

/** Message id of what is wrong with a version of the package; undefined where nothing is known. */
export function packageDefect(version: string): string | undefined {
  return releaseFacts(version)?.packageDefect;
}

function wholeProbe(facts: ReleaseFacts, files: readonly GeneratedFile[]): ProbeRequest {
  const inputs = hostInputs();
  const asked = inputs.files ?? [];
  const more = files
    .filter(({ path }) => !asked.some((one) => one.path === path))
    .map(({ path, content }) => ({ path, want: content.kind === 'secret' && path === CERT_CHAIN ? 'certificate' : 'hash' }) as const);
  const needs = [...tools, ...facts.packageNeeds];
  return {
    ...inputs,
    files: [...asked, ...more, ...cleanerPaths(facts).map((path) => ({ path, want: 'hash' }) as const)],
    units: [...unitNames(facts), DNSMASQ, RESOLVED],
    packages: [...facts.packages, ...needs.map((need) => need.package)],
    programs: needs.map(({ program }) => program),
  };
}

/** The name servers of a machine: dnsmasq, and systemd-resolved where it runs. */
export function nameUnits(state: HostState): readonly string[] {
  return [DNSMASQ, ...(unitOf(state, RESOLVED)?.active === 'active' ? [RESOLVED] : [])];
}

/** The node agent explains itself (citadel facts 10). */
async function unitTrouble(facts: ReleaseFacts, host: VmHost, unit: UnitState, options?: CallOptions): ReturnType<Sidecar['unitTrouble']> {
  const isNodeAgent = unit.name.replace(/\.service$/, '') === facts.units.nodeAgent;
  const log = isNodeAgent || unit.log === undefined ? (await host.run(logCommand(unit.name, 20), options)).stdout : unit.log;
  const why = isNodeAgent ? explainLog(log) : undefined;
  return { log, ...(why === undefined ? {} : { why: { id: why.id, next: why.nextStep } }) };
}
