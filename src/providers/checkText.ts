import type { CheckResult } from '../mesh/model.ts';
import type { Texts } from '../editor/texts.ts';

/** One result as the terminal and the document show it (ui.md, Checks); without colours. */
export interface CheckLines {
  readonly command: string;
  readonly verdict: string;
  readonly reason: string;
  readonly time: string;
  /** `why`, `next` and the output, ready to be indented. */
  readonly more: readonly (readonly [string, string])[];
}

export function checkLines(result: CheckResult, { t, say }: Texts): CheckLines {
  const more: (readonly [string, string])[] = [];
  if (result.verdict !== 'ok' && result.output.trim() !== '') more.push(['', result.output.trimEnd()]);
  if (result.why !== undefined) more.push([t('editor.check.why'), say(result.why)]);
  if (result.nextStep !== undefined) more.push([t('editor.check.next'), say(result.nextStep)]);
  return {
    command: result.commandLine,
    verdict: t(`editor.verdict.${result.verdict}`),
    reason: say(result.reason),
    time: `${(result.durationMs / 1000).toFixed(2)} s`,
    more,
  };
}

export function passedText(results: readonly CheckResult[], { t }: Texts): string {
  const counted = results.filter(({ verdict }) => verdict !== 'skipped');
  return t('editor.check.passed', { passed: counted.filter(({ verdict }) => verdict === 'ok').length, count: counted.length });
}

/** Every line of a text as a comment of a shell: what a machine said must not become a line that is run. */
function comment(indent: string, text: string): string {
  return text
    .split('\n')
    .map((line) => `# ${indent}${line}`)
    .join('\n');
}

/** Output of a machine must not move the cursor, colour the terminal or set its title, nor end a line where an editor sees no line end. */
export function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, '\ufffd');
}

/** All results as a document; commands stand as in a shell, everything else as comments. */
export function checksText(vm: string, results: readonly CheckResult[], texts: Texts): string {
  const blocks = results.map((result) => {
    const { command, verdict, reason, time, more } = checkLines(result, texts);
    const output = result.output.trim() === '' ? [] : [comment('  ', plain(result.output).trimEnd())];
    return [
      plain(command),
      comment('', `${verdict}: ${plain(reason)} (${time})`),
      ...more.filter(([name]) => name !== '').map(([name, text]) => comment('  ', `${name}: ${plain(text)}`)),
      ...output,
    ].join('\n');
  });
  return `${[`# ${texts.t('editor.check.document', { vm })}`, ...blocks, `# ${passedText(results, texts)}`].join('\n\n')}\n`;
}
