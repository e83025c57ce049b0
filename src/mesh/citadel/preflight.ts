import type { MeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { GeneratedFile } from '../model.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { HostState } from '../ports.ts';
import { CERT_CHAIN } from './certificates.ts';
import type { HostWork } from './joinContext.ts';
import { problem } from './problems.ts';

/** Whether the machine can be joined at all, before anything on it is changed. */

/** Throws what stands in the way: no Debian packages, sudo refused, joined to another cluster, a clock by which the certificate is not valid. */
export function assertFit(work: Pick<HostWork, 'scope' | 'owner'>, state: HostState, files: readonly GeneratedFile[]): void {
  const stands = obstacle(work, state, files);
  if (stands !== undefined) throw stands;
}

function obstacle(
  { scope, owner }: Pick<HostWork, 'scope' | 'owner'>,
  state: HostState,
  files: readonly GeneratedFile[],
): MeshError | undefined {
  const host = scope.vm.host;
  const { facts, manifest } = state;
  if (manifest !== undefined && (manifest.owner.cluster !== owner.cluster || manifest.owner.vm !== owner.vm)) {
    return problem('citadel.joined-elsewhere', { host, vm: manifest.owner.vm, cluster: manifest.owner.cluster }, { kind: 'person' });
  }
  if (facts === undefined) return undefined;
  if (facts.os.architecture === '') return problem('citadel.os-unsupported', { host, os: `${facts.os.id} ${facts.os.version}`.trim() });
  if (facts.sudo === 'refused') return problem('host.sudo-refused', { host, user: facts.loginUser }, { id: 'citadel.sudo-refused' });
  return clockProblem(scope, facts.clockOffsetSeconds, files);
}

function clockProblem(scope: HostWork['scope'], offsetSeconds: number, files: readonly GeneratedFile[]): MeshError | undefined {
  const content = files.find(({ path }) => path === CERT_CHAIN)?.content;
  if (content?.kind !== 'secret' || content.facts === undefined) return undefined;
  const there = scope.ports.clock.now().getTime() + offsetSeconds * 1000;
  if (there >= Date.parse(content.facts.notBefore) && there <= Date.parse(content.facts.notAfter)) return undefined;
  return problem('citadel.clock', {
    host: scope.vm.host,
    seconds: Math.round(offsetSeconds),
    time: new Date(there).toISOString(),
    notBefore: content.facts.notBefore,
    notAfter: content.facts.notAfter,
  });
}

export function preflightStep(work: HostWork, files: readonly GeneratedFile[]): Step {
  return {
    id: 'preflight',
    title: message('citadel.preflight.title', { host: work.scope.vm.host }),
    target: work.host.alias,
    readOnly: true,
    async preview(options) {
      const { facts } = await work.view.read(options);
      if (facts === undefined) return { needed: true, details: [] };
      const { os, loginUser, sudo } = facts;
      const details: StepDetail[] = [
        {
          kind: 'note',
          text: message('citadel.preflight.host', { os: `${os.id} ${os.version}`, architecture: os.architecture, user: loginUser, sudo }),
        },
      ];
      const { address } = work.scope;
      if (address !== undefined && !facts.addresses.some((one) => one.address === address)) {
        details.push({
          kind: 'note',
          text: message('citadel.preflight.address', { address, found: facts.addresses.map((one) => one.address).join(', ') }),
        });
      }
      const ipv6 = work.facts.ipv6Rules.length === 0 ? undefined : facts.addresses.find((one) => one.address.includes(':'));
      if (ipv6 !== undefined) details.push({ kind: 'note', text: message('citadel.preflight.ipv6', { address: ipv6.address }) });
      return { needed: true, details };
    },
    async run(options) {
      assertFit(work, await work.view.read(options), files);
    },
  };
}
