import { message } from '../mesh/messages.ts';
import { packageSource } from './join.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import { changeTargets } from './planCommand.ts';
import { chosenVms } from './session.ts';

interface UpgradeOptions extends VmOptions {
  readonly package: string;
  readonly packageSha256?: string;
}

/** `upgrade --vm NAME ... | --all --package FILE|URL|istio.VERSION [--package-sha256 HEX]`: a newer sidecar on joined VMs. */
export const upgradeCommand: AddCommand = (program, act) => {
  const command = program.command('upgrade').description(act.texts(message('cli.help.upgrade')));
  addVmOptions(command, act.texts)
    .requiredOption('--package <source>', act.texts(message('cli.option.package')))
    .option('--package-sha256 <hex>', act.texts(message('cli.option.package-sha256')));
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<UpgradeOptions>('upgrade', true, (session, options) => {
      const { mesh, signal } = session;
      const source = packageSource(options.package, options.packageSha256);
      return changeTargets(
        session,
        chosenVms(session.inventory, options).map((name) => ({
          kind: 'vm',
          name,
          plan: () => mesh.planUpgrade(name, { package: source }, { signal }),
        })),
      );
    }),
  );
};
