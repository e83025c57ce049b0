import { message } from './messages.ts';
import type { VmEntry } from './model.ts';
import type { Plan, Step } from './plan.ts';
import type { CallOptions, HostManifest, VmHost } from './ports.ts';

/** The plan that takes a VM back to the generation before its last push, and restarts the units that were running. The same in every era. */
export function rollbackPlan(vm: VmEntry, host: VmHost): Plan {
  let changed: readonly string[] | undefined;
  const withEarlier = async (options?: CallOptions): Promise<HostManifest | undefined> => {
    const { manifest } = await host.probe({ manifest: true }, options);
    return manifest !== undefined && manifest.generation > 0 ? manifest : undefined;
  };
  const rollback: Step = {
    id: 'rollback',
    title: message('rollback.files'),
    target: host.alias,
    preview: async (options) => {
      const manifest = await withEarlier(options);
      if (manifest === undefined) return { needed: false, details: [{ kind: 'note', text: message('rollback.nothing') }] };
      return { needed: true, details: manifest.files.map(({ path, mode }) => ({ kind: 'file', verb: 'change', path, mode }) as const) };
    },
    run: async (options) => {
      changed = (await host.rollback(options)).changed;
    },
  };
  const restart: Step = {
    id: 'restart',
    title: message('rollback.restart'),
    target: host.alias,
    preview: async (options) => {
      const units = await runningUnits(host, options);
      // Before the files went back: as far as there is something to go back to.
      const goesBack = changed === undefined ? (await withEarlier(options)) !== undefined : changed.length > 0;
      return {
        needed: goesBack && units.length > 0,
        details: units.map((unit) => ({ kind: 'command', commandLine: `systemctl restart ${unit}` }) as const),
      };
    },
    run: async (options) => {
      await host.setUnits({ restart: await runningUnits(host, options) }, options);
    },
  };
  return { id: 'rollback', title: message('rollback.title', { vm: vm.name }), hosts: [host.alias], steps: [rollback, restart] };
}

async function runningUnits(host: VmHost, options?: CallOptions): Promise<readonly string[]> {
  const { manifest } = await host.probe({ manifest: true }, options);
  const names = (manifest?.units ?? []).map((unit) => unit.name);
  if (names.length === 0) return [];
  const { units } = await host.probe({ units: names }, options);
  return units
    .filter((unit) => unit.active === 'active' || unit.active === 'activating' || unit.active === 'failed')
    .map((unit) => unit.name);
}
