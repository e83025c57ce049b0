import { parseArgs } from 'node:util';
import type { Machine } from './machine.ts';
import { request } from './http.ts';
import type { CommandResult } from './command.ts';

const OPTIONS = {
  'max-time': { type: 'string', short: 'm' },
  'connect-timeout': { type: 'string' },
  output: { type: 'string', short: 'o' },
  'write-out': { type: 'string', short: 'w' },
  header: { type: 'string', short: 'H' },
  'user-agent': { type: 'string', short: 'A' },
  noproxy: { type: 'string' },
  retry: { type: 'string' },
  fail: { type: 'boolean', short: 'f' },
  include: { type: 'boolean', short: 'i' },
  head: { type: 'boolean', short: 'I' },
} as const;

/** The part of curl that checks use: URL, -f, -i, -I, -o, -w '%{http_code}', -m. */
export function curl(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, strict: false, allowPositionals: true });
  const text = (name: 'max-time' | 'connect-timeout' | 'write-out'): string | undefined =>
    typeof values[name] === 'string' ? values[name] : undefined;
  const [first] = positionals;
  let url: URL;
  try {
    url = new URL(first !== undefined && /^https?:\/\//.test(first) ? first : `http://${first ?? ''}`);
  } catch {
    return { exitCode: 3, stdout: '', stderr: 'curl: (3) URL using bad/illegal format or missing URL\n', takesMs: 0 };
  }
  const seconds = Number(text('max-time') ?? text('connect-timeout') ?? 130);
  const answer = request(machine, url, asRoot);
  const format = (text('write-out') ?? '').replaceAll('\\n', '\n');
  if (answer.kind === 'error') {
    const late = answer.takesMs > 0;
    const why = late ? `curl: (28) Connection timed out after ${seconds * 1000} milliseconds` : answer.text;
    return {
      exitCode: answer.exitCode,
      stdout: format.replaceAll('%{http_code}', '000'),
      stderr: `${why}\n`,
      takesMs: late ? seconds * 1000 : 0,
    };
  }
  const failed = answer.status >= 400 && values.fail === true;
  const headers = `HTTP/1.1 ${answer.status} ${answer.status === 200 ? 'OK' : 'Error'}\r\nserver: ${answer.throughEnvoy ? 'envoy' : 'istio'}\r\ncontent-length: ${answer.body.length}\r\n\r\n`;
  const withHeaders = values.include === true || values.head === true;
  const body = values.output !== undefined || values.head === true || failed ? '' : answer.body;
  const stdout = `${withHeaders ? headers : ''}${body}${format.replaceAll('%{http_code}', String(answer.status)).replaceAll('%{header_json}', '')}`;
  const stderr = failed ? `curl: (22) The requested URL returned error: ${answer.status}\n` : '';
  return { exitCode: failed ? 22 : 0, stdout, stderr, takesMs: 0 };
}
