import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { numberOf, option, type EffectiveConfig } from './config/effective.ts';
import { errorText, hostError } from './errors.ts';

const CONNECT_LIMIT_MS = 15_000;

/** Milliseconds until the server must have answered: ConnectTimeout, else 15 s. */
export function connectLimit(config: EffectiveConfig): number {
  return numberOf(config, 'connecttimeout', CONNECT_LIMIT_MS / 1000, 1) * 1000;
}

/** A TCP connection to the destination: AddressFamily, BindAddress, ConnectionAttempts honoured. Throws `host.unreachable`, `cancelled`. */
export async function dial(config: EffectiveConfig, signal: AbortSignal | undefined): Promise<Socket> {
  const attempts = numberOf(config, 'connectionattempts', 1, 1);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dialOnce(config, signal);
    } catch (error) {
      if (signal?.aborted === true) throw hostError('cancelled', { host: config.alias }, { text: 'cancelled.before', cause: error });
      if (attempt >= attempts)
        throw hostError(
          'host.unreachable',
          { host: config.alias, address: `${config.hostName}:${config.port}`, text: errorText(error) },
          { cause: error },
        );
      await sleep(1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

function dialOnce(config: EffectiveConfig, signal: AbortSignal | undefined): Promise<Socket> {
  const family = { inet: 4, inet6: 6 }[option(config, 'addressfamily')?.toLowerCase() ?? 'any'] ?? 0;
  const localAddress = option(config, 'bindaddress');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: config.hostName, port: config.port, family, ...(localAddress === undefined ? {} : { localAddress }) });
    const fail = (error: Error): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new Error('cancelled'));
    const limit = setTimeout(() => fail(new Error(`no answer in ${connectLimit(config) / 1000} s`)), connectLimit(config));
    if (signal?.aborted === true) {
      fail(new Error('cancelled'));
      return;
    }
    signal?.addEventListener('abort', onAbort);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', fail);
      // Without it every small packet waits for the last one's acknowledgement (recipes, machines).
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
