import type { MeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { VmScope } from '../era.ts';
import type { GeneratedFile } from '../model.ts';
import type { Step, StepDetail } from '../plan.ts';
import type { HostManifest, HostState } from '../ports.ts';
import { problem } from '../problem.ts';
import type { HostWork } from './hostWork.ts';

/** Whether the machine can be joined at all, before anything on it is changed. */

/** Throws what stands in the way: joined to another cluster, sudo refused, and what the era says (its packages, the clock...). */
export function assertFit(work: HostWork, state: HostState, files: readonly GeneratedFile[]): void {
  const { scope, owner, sidecar } = work;
  const { facts, manifest } = state;
  if (manifest !== undefined && (manifest.owner.cluster !== owner.cluster || manifest.owner.vm !== owner.vm))
    throw joinedElsewhere(scope.vm.host, manifest);
  if (facts === undefined) return;
  if (facts.sudo === 'refused')
    throw problem('host.sudo-refused', { host: scope.vm.host, user: facts.loginUser }, { id: 'host.preflight.sudo-refused' });
  const stands = sidecar.obstacle(scope, state, files);
  if (stands !== undefined) throw stands;
}

/** The same for a VM that must be joined already. Throws `host.not-joined` too. */
export function assertJoined(work: HostWork, state: HostState, files: readonly GeneratedFile[]): void {
  if (state.manifest === undefined) throw problem('host.not-joined', { vm: work.scope.vm.name });
  assertFit(work, state, files);
}

/** `host.joined-elsewhere` (person): the manifest on the machine is of another VM or cluster. */
export function joinedElsewhere(host: string, { owner }: HostManifest): MeshError {
  return problem('host.joined-elsewhere', { host, vm: owner.vm, cluster: owner.cluster }, { kind: 'person' });
}

/** A credential that does not count yet, or no more, by the machine's own clock; undefined where it does. Times are ISO 8601. */
export function clockProblem(
  scope: VmScope,
  state: HostState,
  life: { readonly notBefore: string; readonly notAfter: string },
): MeshError | undefined {
  const offsetSeconds = state.facts?.clockOffsetSeconds ?? 0;
  const there = scope.ports.clock.now().getTime() + offsetSeconds * 1000;
  if (there >= Date.parse(life.notBefore) && there <= Date.parse(life.notAfter)) return undefined;
  return problem('host.clock', {
    host: scope.vm.host,
    seconds: Math.round(offsetSeconds),
    time: new Date(there).toISOString(),
    notBefore: life.notBefore,
    notAfter: life.notAfter,
  });
}

export function preflightStep(work: HostWork, files: readonly GeneratedFile[]): Step {
  const { scope, sidecar } = work;
  return {
    id: 'preflight',
    title: message('host.preflight.title', { host: scope.vm.host }),
    target: work.host.alias,
    readOnly: true,
    async preview(options) {
      const state = await work.view.read(options);
      return { needed: true, details: [...hostNotes(scope, state), ...(sidecar.notes?.(scope, state, files) ?? [])] };
    },
    async run(options) {
      assertFit(work, await work.view.read(options), files);
    },
  };
}

function hostNotes({ address }: VmScope, { facts }: HostState): readonly StepDetail[] {
  if (facts === undefined) return [];
  const { os, loginUser, sudo, addresses } = facts;
  const system = { os: `${os.id} ${os.version}`, architecture: os.architecture, user: loginUser };
  const notes: StepDetail[] = [{ kind: 'note', text: message(`host.preflight.host.${sudo}`, system) }];
  if (address !== undefined && !addresses.some((one) => one.address === address)) {
    const found = addresses.map((one) => one.address).join(', ');
    notes.push({ kind: 'note', text: message('host.preflight.address', { address, found }) });
  }
  return notes;
}
