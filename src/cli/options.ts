import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { message } from '../mesh/messages.ts';
import { isClusterName } from '../mesh/names.ts';
import type { Texts } from './language.ts';

/** Options of every command (design: The command line). */
export interface CommonOptions {
  readonly inventory: string;
  readonly kubeconfig?: string;
  readonly sshConfig?: string;
  /** Contexts by cluster name, in place of the inventory's. */
  readonly context?: ReadonlyMap<string, string>;
  readonly snapshot?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly undoOnFailure?: boolean;
}

export interface VmOptions extends CommonOptions {
  readonly vm?: readonly string[];
  readonly all?: boolean;
}

export const defaultInventory = 'mesh-expansion.yaml';

export function addCommonOptions(command: Command, texts: Texts): Command {
  return command
    .option('--inventory <file>', texts(message('cli.option.inventory')), defaultInventory)
    .option('--kubeconfig <file>', texts(message('cli.option.kubeconfig')))
    .option('--ssh-config <file>', texts(message('cli.option.ssh-config')))
    .addOption(
      new Option('--context <name=context>', texts(message('cli.option.context'))).argParser(
        (value: string, earlier: ReadonlyMap<string, string> | undefined) => {
          // A context may hold `=`; a cluster's name before it is what the inventory says.
          const [, name = '', context = ''] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
          if (!isClusterName(name) || !isClusterName(context)) throw new InvalidArgumentError(texts(message('cli.option.context.invalid')));
          return new Map([...(earlier ?? []), [name, context]]);
        },
      ),
    )
    .option('--snapshot <file>', texts(message('cli.option.snapshot')))
    .option('--json', texts(message('cli.option.json')))
    .option('--dry-run', texts(message('cli.option.dry-run')))
    .option('--yes', texts(message('cli.option.yes')));
}

/** Options of commands that change something by a plan. */
export function addChangeOptions(command: Command, texts: Texts): Command {
  return command.option('--undo-on-failure', texts(message('cli.option.undo-on-failure')));
}

export function addVmOptions(command: Command, texts: Texts): Command {
  return command.option('--vm <names...>', texts(message('cli.option.vm'))).option('--all', texts(message('cli.option.all')));
}
