import type { Check } from '../era.ts';
import { message, type Message } from '../messages.ts';
import type { CommandOutput } from '../ports.ts';
import { failed, noProgram, passed, skipped, timedOut, type Judgement } from './verdicts.ts';

export interface HttpQuestion {
  readonly id: string;
  readonly url: string;
  /** The login user is root, whose traffic is not captured: ask as another. */
  readonly ordinaryUser?: boolean;
  readonly skipped?: Message;
  /** Judges the body of a 2xx answer; the reason, or why it is not good enough. */
  readonly ok: (body: string) => Message | Judgement;
  readonly why?: Message;
  readonly next?: Message;
  /** Why the name does not resolve, and what to do. */
  readonly unresolved?: { readonly why: Message; readonly next: Message };
}

/** `curl -f`: an answer of 400 and more is a failure with exit code 22. */
export function curlCheck(question: HttpQuestion): Check {
  const curl = ['curl', '-sS', '-f', '-m', '5', question.url];
  return {
    id: question.id,
    command: { argv: question.ordinaryUser === true ? ['runuser', '-u', 'nobody', '--', ...curl] : curl, timeoutMs: 15_000 },
    ...(question.skipped === undefined ? {} : { skipped: question.skipped }),
    judge: async (output) => judgeHttp(question, output),
  };
}

export function judgeHttp(question: HttpQuestion, output: CommandOutput): Judgement {
  if (question.skipped !== undefined) return skipped(question.skipped);
  if (output.timedOut) return timedOut();
  if (output.exitCode === 127) return noProgram('curl', 'curl');
  if (output.exitCode === 0) {
    const said = question.ok(output.stdout);
    return 'verdict' in said ? said : passed(said);
  }
  if (output.exitCode === NO_NAME) return failed(curlReason(question.url, output), question.unresolved?.why, question.unresolved?.next);
  return failed(curlReason(question.url, output), question.why, question.next);
}

/** curl could not resolve the host. */
const NO_NAME = 6;

/** Exit codes of curl that tell causes apart. */
function curlReason(url: string, { exitCode, stderr }: CommandOutput): Message {
  const code = /returned error: (\d{3})/.exec(stderr)?.[1];
  if (code !== undefined) return message('check.http.status', { code, url });
  const known: Readonly<Record<number, string>> = { [NO_NAME]: 'name', 7: 'refused', 28: 'silent', 52: 'empty', 56: 'reset' };
  const rule = known[exitCode];
  return rule === undefined
    ? message('check.http.failed', { url, code: exitCode, text: stderr.trim().split('\n')[0] ?? '' })
    : message(`check.http.${rule}`, { url });
}
