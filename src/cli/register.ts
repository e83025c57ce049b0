import { findService, findVm } from '../mesh/lookup.ts';
import { message } from '../mesh/messages.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, type CommonOptions } from './options.ts';
import { changeTargets } from './planCommand.ts';

interface ServiceOptions extends CommonOptions {
  readonly service: readonly string[];
  readonly vm?: readonly string[];
}

/** `register --service NAME`: NAME or NAME.NAMESPACE of the inventory. */
export const registerCommand: AddCommand = (program, act) => {
  const command = program
    .command('register')
    .description(act.texts(message('cli.help.register')))
    .requiredOption('--service <names...>', act.texts(message('cli.option.service')));
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<ServiceOptions>('register', true, (session, { service }) => {
      const { mesh, inventory, signal } = session;
      return changeTargets(
        session,
        chosen(service, (name) => findService(inventory, name)).map((name) => ({
          kind: 'service',
          name,
          plan: () => mesh.planRegister(name, { signal }),
        })),
      );
    }),
  );
};

/** `deregister --service NAME [--vm NAME ...]`: takes all its VMs, or the given ones, out of the service. */
export const deregisterCommand: AddCommand = (program, act) => {
  const command = program
    .command('deregister')
    .description(act.texts(message('cli.help.deregister')))
    .requiredOption('--service <names...>', act.texts(message('cli.option.service')))
    .option('--vm <names...>', act.texts(message('cli.option.deregister-vm')));
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<ServiceOptions>('deregister', true, (session, { service, vm }) => {
      const { mesh, inventory, signal } = session;
      vm?.forEach((name) => findVm(inventory, name));
      return changeTargets(
        session,
        chosen(service, (name) => findService(inventory, name)).map((name) => ({
          kind: 'service',
          name,
          plan: () => mesh.planDeregister(name, { signal, vms: vm }),
        })),
      );
    }),
  );
};

/** The names, each once; `look` refuses an unknown one before anything is contacted. */
function chosen(names: readonly string[], look: (name: string) => unknown): readonly string[] {
  const unique = [...new Set(names)];
  unique.forEach(look);
  return unique;
}
