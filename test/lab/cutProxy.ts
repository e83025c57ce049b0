// A way to a machine's sshd that is cut after so many packets of the client: with a reset, or by an end that looks orderly.
import { once } from 'node:events';
import net from 'node:net';

export interface CutProxy extends AsyncDisposable {
  readonly port: number;
  /** Whether a connection has been cut. */
  readonly cut: boolean;
}

export async function cutProxy(address: string, packets: number, how: 'reset' | 'end'): Promise<CutProxy> {
  const state = { cut: false };
  const server = net.createServer({ noDelay: true }, (client) => {
    const machine = net.connect({ host: address, port: 22, noDelay: true });
    let passed = 0;
    client.on('data', (chunk) => {
      passed += 1;
      if (passed <= packets) {
        machine.write(chunk);
        return;
      }
      state.cut = true;
      if (how === 'reset') client.resetAndDestroy();
      else client.end();
      machine.destroy();
    });
    machine.on('data', (chunk) => client.write(chunk));
    machine.on('close', () => client.end());
    client.on('close', () => machine.destroy());
    for (const socket of [client, machine]) socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('a TCP server has a port');
  return {
    port: listening.port,
    get cut() {
      return state.cut;
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
