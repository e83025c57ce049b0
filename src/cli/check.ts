import { message } from '../mesh/messages.ts';
import type { CheckResult } from '../mesh/model.ts';
import { attempt } from './attempt.ts';
import { exitCodes } from './exitCode.ts';
import type { Texts } from './language.ts';
import type { AddCommand } from './main.ts';
import { addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import type { TargetResult } from './output.ts';
import { chosenVms, type Session } from './session.ts';

interface CheckOptions extends VmOptions {
  readonly only?: readonly string[];
}

/** `check --vm NAME ... | --all [--only ID ...]`: the guide's checks, each with its command, output, verdict and reason. Exit code 3 where one failed. */
export const checkCommand: AddCommand = (program, act) => {
  const command = addVmOptions(program.command('check').description(act.texts(message('cli.help.check'))), act.texts).option(
    '--only <ids...>',
    act.texts(message('cli.option.only')),
  );
  addCommonOptions(command, act.texts).action(
    act.run<CheckOptions>('check', false, async (session, options) => {
      const results: TargetResult[] = [];
      // One VM after the other: the output of a check is read by people.
      for (const vm of chosenVms(session.inventory, options)) results.push(await checkVm(session, vm, options.only));
      return results;
    }),
  );
};

function checkVm({ mesh, output, signal }: Session, vm: string, only: readonly string[] | undefined): Promise<TargetResult> {
  return attempt(output, { vm }, async () => {
    output.result(output.texts(message('cli.check.title', { vm })));
    const results = await mesh.check(
      vm,
      { onResult: (result) => resultLines(result, output.texts).forEach((line) => output.result(line)) },
      { signal, only },
    );
    const passed = results.filter(({ verdict }) => verdict === 'ok').length;
    const skipped = results.filter(({ verdict }) => verdict === 'skipped').length;
    output.result(output.texts(message('cli.check.summary', { passed, total: results.length, skipped })));
    const failed = results.some(({ verdict }) => verdict === 'fail');
    const checks = results.map(({ reason, why, nextStep, ...check }) => ({
      ...check,
      reason: output.texts(reason),
      why: why && output.texts(why),
      nextStep: nextStep && output.texts(nextStep),
    }));
    return { vm, ok: !failed, changed: false, code: failed ? exitCodes.check : exitCodes.fine, checks };
  });
}

const verdicts = { ok: 'ok  ', fail: 'FAIL', skipped: 'skip' } as const;

function resultLines({ commandLine, output, verdict, reason, why, nextStep, durationMs }: CheckResult, texts: Texts): readonly string[] {
  const indented = (text: string): string[] =>
    text
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `      ${line}`);
  return [
    `  $ ${commandLine}`,
    ...(verdict === 'fail' ? indented(output) : []),
    `  ${verdicts[verdict]}  ${texts(reason)}  ${(durationMs / 1000).toFixed(2)} s`,
    ...(why === undefined ? [] : [`        ${texts(message('cli.check.why', { text: texts(why) }))}`]),
    ...(nextStep === undefined ? [] : [`        ${texts(message('cli.check.next', { text: texts(nextStep) }))}`]),
  ];
}
