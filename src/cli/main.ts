import { Command, CommanderError } from 'commander';
import { asMeshError, cancelled, MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import { checkCommand } from './check.ts';
import { clusterCommand } from './cluster.ts';
import { exitCodeOfError, exitCodes, overall, type ExitCode } from './exitCode.ts';
import { generateCommand } from './generate.ts';
import { groupCommand } from './group.ts';
import { joinCommand } from './join.ts';
import { languageOf, loadTexts, packageVersion } from './language.ts';
import { leaveCommand } from './leave.ts';
import type { CommonOptions } from './options.ts';
import { Output, type TargetResult } from './output.ts';
import { pushCommand } from './push.ts';
import { deregisterCommand, registerCommand } from './register.ts';
import { renewCommand } from './renew.ts';
import { rollbackCommand } from './rollback.ts';
import { needPerson, openSession, type Session } from './session.ts';
import { statusCommand } from './status.ts';
import { upgradeCommand } from './upgrade.ts';
import { commandName, refuseOptionsAsValues, speak, usageText } from './usage.ts';

/** Adds a command to the program; `act` runs it. */
export type AddCommand = (program: Command, act: Act) => void;

/** Runs a command's work in a session. `changes`: it changes something, so somebody must confirm. */
export interface Act {
  readonly texts: Output['texts'];
  run<Options extends CommonOptions>(
    name: string,
    changes: boolean,
    work: (session: Session, options: Options) => Promise<readonly TargetResult[]>,
  ): (options: Options) => Promise<void>;
}

const commands: readonly AddCommand[] = [
  generateCommand,
  clusterCommand,
  groupCommand,
  joinCommand,
  pushCommand,
  checkCommand,
  statusCommand,
  renewCommand,
  upgradeCommand,
  leaveCommand,
  rollbackCommand,
  registerCommand,
  deregisterCommand,
];

/** Runs the command line and gives the exit code. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const texts = loadTexts(languageOf(process.env));
  const json = args.includes('--json');
  const output = new Output(texts, json, { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) });
  // A reader that has seen enough (`| head`) must not end work that is under way.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const control = new AbortController();
  let signal: 'SIGINT' | 'SIGTERM' | undefined;
  let running = '';
  const stop = (name: 'SIGINT' | 'SIGTERM'): void => {
    // A second signal ends the program without waiting for the remote side.
    if (signal !== undefined) {
      output.document(running, [], { error: output.failure(cancelled()).error });
      process.exit(overall([], name));
    }
    signal = name;
    output.say(message('cli.stopping'));
    control.abort(cancelled());
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop(name));

  let code: ExitCode = exitCodes.fine;
  const act: Act = {
    texts,
    run: (name, changes, work) => async (options) => {
      let session: Session | undefined;
      running = name;
      try {
        if (changes) needPerson(options, interactive);
        session = await openSession(options, { output, signal: control.signal, cancel: () => stop('SIGINT'), interactive });
        const results = await work(session, options);
        code = overall(
          results.map((result) => result.code),
          signal,
        );
        output.document(name, results);
      } catch (thrown) {
        const error = control.signal.aborted ? cancelled(thrown) : asMeshError(thrown);
        output.error(error);
        code = overall([exitCodeOfError(error)], signal);
        output.document(name, [], { error: output.failure(error).error });
        if (error.code === 'unexpected' && process.env.MESH_EXPANSION_DEBUG !== undefined && error.cause instanceof Error)
          output.note(error.cause.stack ?? '');
      } finally {
        await session?.mesh.close();
      }
    },
  };
  const program = createProgram(act, output);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    code = thrown.exitCode === 0 ? exitCodes.fine : exitCodes['bad-input'];
    if (code !== exitCodes.fine) {
      const usage = new MeshError({
        code: 'cli.usage',
        kind: 'bad-input',
        userMessage: message('cli.usage', { text: usageText(thrown.message, texts) }),
        nextStep: message('cli.help.after-error'),
      });
      output.document(commandName(program, args), [], { error: output.failure(usage).error });
    }
  }
  return code;
}

function createProgram(act: Act, output: Output): Command {
  const { texts } = act;
  const program = speak(new Command('mesh-expansion'), texts)
    .description(texts(message('cli.description')))
    .version(packageVersion(), '-V, --version', texts(message('cli.help.version')))
    .exitOverride()
    .configureOutput({
      writeErr: (text) => output.note(text.trimEnd()),
      writeOut: (text) => process.stdout.write(text),
      outputError: (text, write) => write(texts(message('cli.error', { text: usageText(text, texts) }))),
    })
    .showHelpAfterError(texts(message('cli.help.after-error')));
  program.hook('preAction', (_program, command) => refuseOptionsAsValues(command));
  for (const add of commands) add(program, act);
  return program;
}
