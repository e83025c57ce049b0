import path from 'node:path';
import { message } from '../mesh/messages.ts';
import type { PackageSource } from '../mesh/ports.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import { changeTargets } from './planCommand.ts';
import { chosenVms } from './session.ts';

interface JoinCommandOptions extends VmOptions {
  readonly package?: string;
}

/** `join --vm NAME ... | --all [--package FILE|URL|istio.VERSION]` */
export const joinCommand: AddCommand = (program, act) => {
  const command = program.command('join').description(act.texts(message('cli.help.join')));
  addVmOptions(command, act.texts).option('--package <source>', act.texts(message('cli.option.package')));
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<JoinCommandOptions>('join', true, (session, options) => {
      const source = options.package === undefined ? undefined : packageSource(options.package);
      const { mesh, signal } = session;
      return changeTargets(
        session,
        chosenVms(session.inventory, options).map((name) => ({
          kind: 'vm',
          name,
          plan: () => mesh.planJoin(name, { package: source }, { signal }),
        })),
      );
    }),
  );
};

/** A URL, an `istio.VERSION` file by its name, else a package file. */
export function packageSource(text: string): PackageSource {
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: text };
  return path.basename(text) === 'istio.VERSION'
    ? { kind: 'istio.VERSION', path: path.resolve(text) }
    : { kind: 'file', path: path.resolve(text) };
}
