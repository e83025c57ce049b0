import type { ClientChannel } from 'ssh2';
import type { Connection } from './connection.ts';
import { hostError, printable } from './errors.ts';

export interface ShellPrompts {
  /** Asked once for each prompt of sudo; undefined gives up. */
  password(attempt: number): Promise<Uint8Array | undefined>;
}

const START_LIMIT_MS = 20_000;

/** Waits for the token, answering sudo's prompts. */
export function started(
  channel: ClientChannel,
  connection: Connection,
  token: string,
  root: false | ShellPrompts,
  signal: AbortSignal | undefined,
): Promise<{ pid: number; rest: Buffer; stderr: string }> {
  return new Promise((resolve, reject) => {
    let out = Buffer.alloc(0);
    let err = '';
    let attempt = 0;
    let limit: NodeJS.Timeout;
    const prompt = `${token}-password:`;
    const words = (): string => printable(err.replaceAll(prompt, '').replace(`${token}\n`, '') || out.toString('utf8'));
    const onAbort = (): void => fail(hostError('cancelled', { host: connection.host }, { text: 'cancelled.before' }));
    const watch = (): void => {
      clearTimeout(limit);
      limit = setTimeout(() => fail(refused(connection, root, words())), START_LIMIT_MS);
    };
    const onOut = (chunk: Buffer): void => {
      out = Buffer.concat([out, chunk]);
      look();
    };
    const onErr = (chunk: Buffer): void => {
      err += chunk.toString('utf8');
      if (root !== false && err.split(prompt).length - 1 > attempt) answer(root);
      look();
    };
    const onClose = (): void =>
      fail(
        err.includes('incorrect password')
          ? hostError('host.sudo-password', { host: connection.host, text: words() })
          : refused(connection, root, words()),
      );
    // Only these: the channel has listeners of its own.
    const done = (): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      forget();
      channel.off('data', onOut).off('close', onClose);
      channel.stderr.off('data', onErr);
    };
    const fail = (error: Error): void => {
      done();
      channel.destroy();
      reject(error);
    };
    const look = (): void => {
      const match = new RegExp(`(?:^|\\n)${token} (\\d+)\\n`).exec(out.toString('latin1'));
      if (match === null || !err.includes(`${token}\n`)) return;
      done();
      resolve({
        pid: Number(match[1]),
        rest: out.subarray(match.index + match[0].length),
        stderr: err.slice(err.indexOf(`${token}\n`) + token.length + 1),
      });
    };
    const answer = (prompts: ShellPrompts): void => {
      attempt += 1;
      // A person is being asked: no time limit meanwhile.
      clearTimeout(limit);
      prompts.password(attempt).then(
        (password) => {
          if (password === undefined) {
            fail(hostError('host.sudo-password', { host: connection.host, text: '' }));
            return;
          }
          channel.write(Buffer.concat([password, Buffer.from('\n')]));
          watch();
        },
        (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))),
      );
    };
    watch();
    channel
      .on('data', onOut)
      .on('close', onClose)
      .on('error', () => undefined);
    channel.stderr.on('data', onErr);
    const forget = connection.whenLost((error) => fail(error));
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort);
  });
}

function refused(connection: Connection, root: false | ShellPrompts, text: string): Error {
  // Who logs in as root needs no sudo: it was the login shell that refused.
  if (root === false || connection.user === 'root') return hostError('host.command', { host: connection.host, text });
  return hostError('host.sudo-refused', { host: connection.host, user: connection.user, text });
}
