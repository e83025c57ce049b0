import { parseArgs } from 'node:util';
import type { CommandResult } from './command.ts';
import { request, type HttpAnswer } from './http.ts';
import type { Machine } from './machine.ts';

const OPTIONS = {
  'max-time': { type: 'string', short: 'm' },
  'connect-timeout': { type: 'string' },
  output: { type: 'string', short: 'o' },
  'write-out': { type: 'string', short: 'w' },
  'dump-header': { type: 'string', short: 'D' },
  header: { type: 'string', short: 'H' },
  'user-agent': { type: 'string', short: 'A' },
  cacert: { type: 'string' },
  noproxy: { type: 'string' },
  resolve: { type: 'string' },
  retry: { type: 'string' },
  fail: { type: 'boolean', short: 'f' },
  include: { type: 'boolean', short: 'i' },
  head: { type: 'boolean', short: 'I' },
  globoff: { type: 'boolean', short: 'g' },
} as const;

interface Asked {
  readonly seconds: number;
  readonly format: string;
  readonly fail: boolean;
  /** Headers go to stdout. */
  readonly headers: boolean;
  readonly body: boolean;
  readonly root: string | undefined;
}

/** The part of curl that checks use: URLs, -f, -g, -i, -I, -o, -D -, -w '%{http_code} %{remote_ip}', -m, --cacert, --resolve. */
export function curl(machine: Machine, args: readonly string[], asRoot: boolean): CommandResult {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, strict: false, allowPositionals: true });
  const text = (name: keyof typeof OPTIONS): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
  const asked: Asked = {
    seconds: Number(text('max-time') ?? text('connect-timeout') ?? 130),
    format: (text('write-out') ?? '').replaceAll('\\n', '\n'),
    fail: values.fail === true,
    headers: values.include === true || values.head === true || text('dump-header') === '-',
    body: text('output') === undefined && values.head !== true,
    root: text('cacert'),
  };
  const [host = '', port = '', address = ''] = text('resolve')?.split(':') ?? [];
  const at = (url: string): string => (host === '' ? url : url.replace(`//${host}:${port}/`, `//${address}:${port}/`));
  const results = (positionals.length === 0 ? [''] : positionals).map((url) => one(machine, at(url), asRoot, asked));
  return {
    // The last transfer's, as curl has it.
    exitCode: results.at(-1)?.exitCode ?? 0,
    stdout: results.map(({ stdout }) => stdout).join(''),
    stderr: results.map(({ stderr }) => stderr).join(''),
    takesMs: Math.max(...results.map(({ takesMs }) => takesMs)),
  };
}

function one(machine: Machine, given: string, asRoot: boolean, { seconds, format, fail, headers, body, root }: Asked): CommandResult {
  let url: URL;
  try {
    url = new URL(/^https?:\/\//.test(given) ? given : `http://${given}`);
  } catch {
    return { exitCode: 3, stdout: '', stderr: 'curl: (3) URL using bad/illegal format or missing URL\n', takesMs: 0 };
  }
  const answer = request(machine, url, asRoot, root);
  if (answer.kind === 'error') {
    const late = answer.takesMs > 0;
    const why = late ? `curl: (28) Connection timed out after ${seconds * 1000} milliseconds` : answer.text;
    return {
      exitCode: answer.exitCode,
      stdout: filled(format, '000', machine, url),
      stderr: `${why}\n`,
      takesMs: late ? seconds * 1000 : 0,
    };
  }
  const failed = fail && answer.status >= 400;
  const shown = `${headers ? headersOf(answer) : ''}${body && !failed ? answer.body : ''}${filled(format, String(answer.status), machine, url)}`;
  const stderr = failed ? `curl: (22) The requested URL returned error: ${answer.status}\n` : '';
  return { exitCode: failed ? 22 : 0, stdout: shown, stderr, takesMs: 0 };
}

function headersOf({ status, throughEnvoy, body }: HttpAnswer & { readonly kind: 'answer' }): string {
  const server = throughEnvoy ? 'envoy' : 'istio';
  return `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Error'}\r\nserver: ${server}\r\ncontent-length: ${body.length}\r\n\r\n`;
}

function filled(format: string, code: string, machine: Machine, url: URL): string {
  const found = machine.lookUp(url.hostname);
  return format
    .replaceAll('%{http_code}', code)
    .replaceAll('%{remote_ip}', found.kind === 'address' ? found.address : '')
    .replaceAll('%{header_json}', '');
}
