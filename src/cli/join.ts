import path from 'node:path';
import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { PackageSource } from '../mesh/ports.ts';
import type { AddCommand } from './main.ts';
import { addChangeOptions, addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import { changeTargets } from './planCommand.ts';
import { chosenVms } from './session.ts';

interface JoinCommandOptions extends VmOptions {
  readonly package?: string;
  readonly packageSha256?: string;
}

/** `join --vm NAME ... | --all [--package FILE|URL|istio.VERSION [--package-sha256 HEX]]` */
export const joinCommand: AddCommand = (program, act) => {
  const command = program.command('join').description(act.texts(message('cli.help.join')));
  addVmOptions(command, act.texts)
    .option('--package <source>', act.texts(message('cli.option.package')))
    .option('--package-sha256 <hex>', act.texts(message('cli.option.package-sha256')));
  addChangeOptions(addCommonOptions(command, act.texts), act.texts).action(
    act.run<JoinCommandOptions>('join', true, (session, options) => {
      const { package: named, packageSha256 } = options;
      if (named === undefined && packageSha256 !== undefined) throw checksumAlone();
      const source = named === undefined ? undefined : packageSource(named, packageSha256);
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
export function packageSource(text: string, sha256?: string): PackageSource {
  const checked = sha256 === undefined ? {} : { sha256 };
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: text, ...checked };
  return path.basename(text) === 'istio.VERSION'
    ? { kind: 'istio.VERSION', path: path.resolve(text), ...checked }
    : { kind: 'file', path: path.resolve(text), ...checked };
}

function checksumAlone(): MeshError {
  return new MeshError({
    code: 'package.checksum',
    kind: 'bad-input',
    userMessage: message('cli.package-sha256.alone'),
    nextStep: message('cli.package-sha256.alone.next'),
    field: '--package-sha256',
  });
}
