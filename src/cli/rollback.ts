import { message } from '../mesh/messages.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import { changeTargets } from './planCommand.ts';
import { chosenVms } from './session.ts';

/** `rollback --vm NAME ... | --all` */
export const rollbackCommand: AddCommand = (program, act) => {
  const command = addVmOptions(program.command('rollback').description(act.texts(message('cli.help.rollback'))), act.texts);
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<VmOptions>('rollback', true, (session, options) => {
      const { mesh, signal } = session;
      return changeTargets(
        session,
        chosenVms(session.inventory, options).map((name) => ({ kind: 'vm', name, plan: () => mesh.planRollback(name, { signal }) })),
      );
    }),
  );
};
