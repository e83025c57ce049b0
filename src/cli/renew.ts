import { message } from '../mesh/messages.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import { changeTargets } from './planCommand.ts';
import { chosenVms } from './session.ts';

/** `renew --vm NAME ... | --all`: fresh credentials for VMs whose own ran out, or will. */
export const renewCommand: AddCommand = (program, act) => {
  const command = addVmOptions(program.command('renew').description(act.texts(message('cli.help.renew'))), act.texts);
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<VmOptions>('renew', true, (session, options) => {
      const { mesh, signal } = session;
      return changeTargets(
        session,
        chosenVms(session.inventory, options).map((name) => ({ kind: 'vm', name, plan: () => mesh.planRenew(name, { signal }) })),
      );
    }),
  );
};
