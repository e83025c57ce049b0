import type { HostState, RemoteFile, UnitState } from '../ports.ts';

/** Reading what a VM answered. */

export function unitOf(state: HostState, name: string): UnitState | undefined {
  return state.units.find((unit) => unit.name === name || unit.name === `${name}.service`);
}

export function fileOf(state: HostState | undefined, path: string): RemoteFile | undefined {
  return state?.files.find((file) => file.path === path);
}

export function isInstalled(state: HostState, name: string): boolean {
  return installedVersion(state, name) !== undefined;
}

/** Version of a package that is really installed; undefined for one that is removed or broken off. */
export function installedVersion(state: HostState, name: string): string | undefined {
  const found = state.packages.find((one) => one.name === name);
  return found?.status === undefined || found.status.endsWith(' installed') ? found?.version : undefined;
}
