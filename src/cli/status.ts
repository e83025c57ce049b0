import pLimit from 'p-limit';
import type { VmStatus } from '../mesh/mesh.ts';
import { message, type Message } from '../mesh/messages.ts';
import type { VmCondition } from '../mesh/model.ts';
import { span } from '../mesh/status.ts';
import { attempt } from './attempt.ts';
import { exitCodes, type ExitCode } from './exitCode.ts';
import type { AddCommand } from './main.ts';
import { entryLine, entryJson } from './membership.ts';
import { addCommonOptions, addVmOptions, type VmOptions } from './options.ts';
import type { TargetResult } from './output.ts';
import type { Texts } from './language.ts';
import { chosenVms, type Session } from './session.ts';

/** A VM that is not as the inventory and the cluster want it is drift (exit code 3), also one that has not joined. */
const codes: Readonly<Record<VmCondition, ExitCode>> = {
  failed: exitCodes.check,
  'needs-person': exitCodes.person,
  'needs-push': exitCodes.check,
  expiring: exitCodes.check,
  pending: exitCodes.fine,
  'in-sync': exitCodes.fine,
  'not-joined': exitCodes.check,
};

/** `status --vm NAME ... | --all`: what is on the VMs against what should be. Changes nothing. */
export const statusCommand: AddCommand = (program, act) => {
  const command = addVmOptions(program.command('status').description(act.texts(message('cli.help.status'))), act.texts);
  addCommonOptions(command, act.texts).action(
    act.run<VmOptions>('status', false, async (session, options) => {
      const limit = pLimit(8);
      return Promise.all(chosenVms(session.inventory, options).map((vm) => limit(() => statusOf(session, vm))));
    }),
  );
};

function statusOf({ mesh, output, signal }: Session, vm: string): Promise<TargetResult> {
  return attempt(output, { vm }, async () => {
    const status = await mesh.vmStatus(vm, { signal });
    for (const line of statusLines(status, output.texts, mesh.ports.clock.now())) output.result(line);
    const code = codes[status.condition];
    return {
      vm,
      ok: code === exitCodes.fine,
      changed: false,
      code,
      condition: status.condition,
      summary: output.texts(status.summary),
      certificateNotAfter: status.certificateNotAfter,
      tokenExpiresAt: status.tokenExpiresAt,
      membership: status.entry && entryJson(status.entry),
      files: status.files.map(({ file, drift }) => ({ path: file.path, drift })),
      units: status.units.map(({ name, active, enabled, restarts, since }) => ({ name, active, enabled, restarts, since })),
    };
  });
}

function statusLines(
  { vm, summary, entry, certificateNotAfter, tokenExpiresAt, files, units }: VmStatus,
  texts: Texts,
  now: Date,
): readonly string[] {
  return [
    `${vm}: ${texts(summary)}`,
    ...(entry === undefined ? [] : [`  ${entryLine(entry, texts)}`]),
    ...(certificateNotAfter === undefined ? [] : [`  ${texts(lifeOf('certificate', certificateNotAfter, now))}`]),
    ...(tokenExpiresAt === undefined ? [] : [`  ${texts(lifeOf('token', tokenExpiresAt, now))}`]),
    ...files.filter(({ drift }) => drift !== 'same').map(({ file, drift }) => `  ${file.path} ${drift}`),
    ...units.map(({ name, active, enabled }) => `  ${[`${name} ${active}`, enabled].filter((part) => part !== '').join(', ')}`),
  ];
}

/** When a credential ends, and how long that is from now. */
function lifeOf(what: 'certificate' | 'token', end: string, now: Date): Message {
  const left = Date.parse(end) - now.getTime();
  const args = { end, left: span(Math.abs(left)) };
  const texts = {
    certificate: left > 0 ? message('cli.life.certificate', args) : message('cli.life.certificate-over', args),
    token: left > 0 ? message('cli.life.token', args) : message('cli.life.token-over', args),
  };
  return texts[what];
}
