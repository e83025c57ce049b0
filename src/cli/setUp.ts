import { findCluster } from '../mesh/lookup.ts';
import type { SetupOptions, SetupPreview } from '../mesh/mesh.ts';
import { message } from '../mesh/messages.ts';
import type { Provider } from '../mesh/model.ts';
import { changeTargets } from './planCommand.ts';
import type { CommonOptions } from './options.ts';
import type { TargetResult } from './output.ts';
import { readGiven } from './rooms.ts';
import type { Session } from './session.ts';

export interface SetupCommandOptions extends CommonOptions {
  readonly cluster: string;
  readonly provider?: Provider;
  readonly manifest?: string;
  readonly wait?: number;
}

/** `cluster setup`: what a person has to run with other tools, then the plan. The result of `--dry-run` has the YAML, to be edited for `--manifest`. */
export async function setUp(
  session: Session,
  { cluster, provider, manifest, wait, dryRun = false }: SetupCommandOptions,
): Promise<readonly TargetResult[]> {
  const { mesh, inventory, output, signal } = session;
  findCluster(inventory, cluster);
  const options = {
    provider,
    manifest: manifest === undefined ? undefined : await readGiven(manifest),
    waitMs: wait === undefined ? undefined : wait * 1000,
  };
  const { commands = [], manifest: yaml = '' } = await previewOf(session, cluster, options);
  for (const { title, commandLine } of commands) {
    output.note(output.texts(message('cli.setup.command', { title: output.texts(title) })));
    output.note(`  ${commandLine}`);
  }
  const results = await changeTargets(session, [
    { kind: 'cluster', name: cluster, plan: () => mesh.planSetup(cluster, options, { signal }) },
  ]);
  const told = commands.map(({ title, commandLine }) => ({ title: output.texts(title), commandLine }));
  return results.map((result) => ({
    ...result,
    ...(told.length === 0 ? {} : { commands: told }),
    ...(dryRun && yaml !== '' ? { manifest: yaml } : {}),
  }));
}

async function previewOf({ mesh, signal }: Session, cluster: string, options: SetupOptions): Promise<Partial<SetupPreview>> {
  try {
    return await mesh.setupPreview(cluster, options, { signal });
  } catch {
    // What kept this from being read keeps the plan from being made, and is told there.
    return {};
  }
}
