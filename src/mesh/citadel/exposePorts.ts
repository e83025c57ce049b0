import type { VmScope } from '../era.ts';
import { message } from '../messages.ts';
import type { Plan, Step, StepDetail } from '../plan.ts';
import type { CallOptions, HostState, PushFile, VmHost } from '../ports.ts';
import { withVariables } from '../host/envFile.ts';
import { fileOf, unitOf } from '../host/hostState.ts';
import { hostWork, type HostWork } from '../host/hostWork.ts';
import { changeDetails, setUnits } from '../host/units.ts';
import { problem } from '../problem.ts';
import { factsOf } from './factsOf.ts';
import { sidecarOf } from './sidecar.ts';
import { INBOUND_PORTS, portList, SIDECAR_ENV } from './sidecarEnv.ts';

/**
 * The plan of Expose Ports: ISTIO_INBOUND_PORTS merged into sidecar.env (citadel facts 4), istio restarted. Throws `citadel.ports-invalid` (bad-input) and
 * `host.not-joined`.
 */
export async function planExposePorts(scope: VmScope, host: VmHost, ports: readonly number[] | '*', options?: CallOptions): Promise<Plan> {
  const list = portList(ports);
  const { work, state } = await hostWork(scope, sidecarOf(scope), host, [], options);
  if (state.manifest === undefined || fileText(state) === undefined) throw problem('host.not-joined', { vm: scope.vm.name });
  const ssh = capturesSsh(work, ports);
  return {
    id: 'expose-ports',
    title: message('citadel.expose.title', { vm: scope.vm.name, ports: list }),
    context: scope.entry.context,
    hosts: [scope.vm.host],
    steps: [portsStep(work, list, ssh), restartStep(work, list)],
    danger: ssh ? message('citadel.expose.ssh', { vm: scope.vm.name }) : undefined,
  };
}

function capturesSsh(work: HostWork, ports: readonly number[] | '*'): boolean {
  return ports !== '*' && factsOf(work.scope).capturesSshWhenListed && ports.includes(22);
}

function fileText(state: HostState): string | undefined {
  const file = fileOf(state, SIDECAR_ENV);
  return file?.exists === true ? (file.text ?? '') : undefined;
}

/** sidecar.env as it is, with the ports. */
function withPorts(state: HostState, list: string): { readonly push: PushFile; readonly changed: boolean } {
  const present = fileOf(state, SIDECAR_ENV);
  const content = withVariables(present?.text ?? '', new Map([[INBOUND_PORTS, list]]));
  const { mode = 0o644, owner = 'istio-proxy', group = 'root' } = present ?? {};
  return {
    push: { path: SIDECAR_ENV, mode: mode & 0o7777, owner, group, content, expect: present?.sha256 },
    changed: content !== present?.text,
  };
}

function portsStep(work: HostWork, list: string, ssh: boolean): Step {
  const warning: readonly StepDetail[] = ssh ? [{ kind: 'note', text: message('citadel.expose.ssh', { vm: work.scope.vm.name }) }] : [];
  return {
    id: 'ports',
    title: message('citadel.expose.ports', { ports: list }),
    target: work.host.alias,
    async preview(options) {
      const { changed } = withPorts(await work.view.read(options), list);
      return {
        needed: changed,
        details: [
          { kind: 'file', verb: changed ? 'change' : 'keep', path: SIDECAR_ENV },
          { kind: 'note', text: message('citadel.expose.line', { line: `${INBOUND_PORTS}=${list}` }) },
          ...warning,
        ],
      };
    },
    async run(options) {
      const { push } = withPorts(await work.view.read(options), list);
      await work.view.change(() => work.host.push({ owner: work.owner, files: [push] }, options));
      work.restarts.add(work.sidecar.capturing);
    },
    async undo(options) {
      await work.view.change(() => work.host.rollback(options));
      await setUnits(work, { restart: [work.sidecar.capturing] }, options);
    },
  };
}

function restartStep(work: HostWork, list: string): Step {
  const { capturing: sidecar } = work.sidecar;
  return {
    id: 'restart',
    title: message('citadel.expose.restart', { unit: sidecar }),
    target: work.host.alias,
    async preview(options) {
      const state = await work.view.read(options);
      const runs = unitOf(state, sidecar)?.active === 'active';
      const written = Date.parse(state.manifest?.files.find(({ path }) => path === SIDECAR_ENV)?.time ?? '');
      const stale = written - Date.parse(unitOf(state, sidecar)?.since ?? '') > 1000;
      const needed = work.restarts.has(sidecar) || withPorts(state, list).changed || (runs && stale);
      return { needed, details: needed ? changeDetails({ restart: [sidecar] }) : [] };
    },
    run: (options) => setUnits(work, { restart: [sidecar] }, options),
  };
}
