import type { VmScope } from '../../../../src/mesh/era.ts';
import { HostView } from '../../../../src/mesh/host/hostView.ts';
import type { HostWork } from '../../../../src/mesh/host/hostWork.ts';
import type { Sidecar } from '../../../../src/mesh/host/sidecar.ts';
import { message } from '../../../../src/mesh/messages.ts';
import type { GeneratedFile } from '../../../../src/mesh/model.ts';
import type { HostFacts, HostState, PackageFile, PushFile, PushRequest, UnitChange, VmHost } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { testPorts, vmEntry, clusterEntry } from '../citadel/support.ts';

export const facts: HostFacts = {
  hostname: 'db-1',
  addresses: [{ address: '10.1.0.3', interface: 'eth0' }],
  os: { id: 'debian', version: '12', architecture: 'amd64', packages: 'deb' },
  loginUser: 'admin',
  sudo: 'passwordless',
  resolvConf: { kind: 'file' },
  port53: [],
  clockOffsetSeconds: 0,
};

export function hostState(more: Partial<HostState> = {}): HostState {
  return { facts, files: [], units: [], packages: [], programs: {}, ...more };
}

/** The least sidecar there can be. */
export const plainSidecar: Sidecar = {
  era: 'istiod',
  packages: ['sidecar'],
  packageHint: message('hint'),
  needs: [],
  creates: { paths: [], users: [], groups: [] },
  units: ['side'],
  capturing: 'side',
  probe: () => ({}),
  cleanCommands: () => [],
  obstacle: () => undefined,
  unitTrouble: async () => ({ log: '' }),
};

/** A machine that answers with one state and notes what it is told to do. */
export class NotingHost {
  readonly pushes: PushRequest[] = [];
  readonly changes: UnitChange[] = [];
  readonly runs: (readonly string[])[] = [];
  state: HostState;

  constructor(state: HostState) {
    this.state = state;
  }

  get host(): VmHost {
    const told = {
      alias: 'db-1',
      probe: async () => this.state,
      push: async (request: PushRequest) => {
        this.pushes.push(request);
        return { changed: request.files.map(({ path }) => path), unchanged: [], generation: 1 };
      },
      setUnits: async (change: UnitChange) => {
        this.changes.push(change);
        return [];
      },
      run: async ({ argv }: { readonly argv: readonly string[] }) => {
        this.runs.push(argv);
        return { exitCode: 0, stdout: '', stderr: '', durationMs: 1, timedOut: false };
      },
    };
    // Everything else is unused by the rules under test; touching it fails loudly.
    return told as unknown as VmHost;
  }
}

export function work(
  host: NotingHost,
  { sidecar = plainSidecar, file }: { readonly sidecar?: Sidecar; readonly file?: PackageFile } = {},
): HostWork {
  const scope: VmScope = {
    entry: clusterEntry(),
    api: new MemoryCluster(),
    controlPlane: { era: 'istiod', release: '1.31.0', source: { value: '1.31.0', from: { kind: 'inventory', field: 'istio.release' } } },
    inventory: { version: 1, clusters: [clusterEntry()], vms: [vmEntry()], services: [] },
    ports: { ...testPorts(), packages: { fetch: async () => file! } },
    vm: vmEntry(),
    address: '10.1.0.3',
    state: host.state,
  };
  return {
    scope,
    sidecar,
    host: host.host,
    view: new HostView(host.host, {}),
    owner: { vm: 'db-1', cluster: 'prod', era: 'istiod', release: '1.31.0' },
    manifest: host.state.manifest,
    restarts: new Set(),
  };
}

export function textFile(path: string, text: string, more: Partial<GeneratedFile> = {}): GeneratedFile {
  return {
    path,
    mode: 0o644,
    owner: 'root',
    group: 'root',
    content: { kind: 'text', text, sources: [] },
    readBy: ['side'],
    editable: true,
    ...more,
  };
}

export function sent(file: PushFile): string {
  const { content } = file;
  if (typeof content === 'string') return content;
  return new TextDecoder().decode(content instanceof Uint8Array ? content : content.reveal());
}
