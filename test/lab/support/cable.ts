// A cable between a test and a server that can be cut, plugged in again, or left dead: bytes pass unchanged, so TLS runs end to end.
import net from 'node:net';

export interface Cable {
  readonly port: number;
  /** Ends what is connected, and refuses what comes. */
  cut(): Promise<void>;
  plug(): Promise<void>;
  /** Connections stay, and new ones come about, but no byte passes any more. */
  hold(): void;
  release(): void;
  /** Connections made so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Throws when no port is free. */
export async function cableTo(host: string, port: number): Promise<Cable> {
  const pairs = new Set<readonly [net.Socket, net.Socket]>();
  let made = 0;
  let held = false;
  const server = net.createServer((near) => {
    made += 1;
    const far = net.connect({ host, port });
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (chunk) => to.write(chunk));
      from.once('close', end);
      from.once('error', end);
      if (held) from.pause();
    }
  });
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, '127.0.0.1', () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the cable has no port');
  const cut = async () => {
    const stopped = server.listening ? new Promise<void>((resolve) => server.close(() => resolve())) : Promise.resolve();
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    await stopped;
  };
  const each = (action: (socket: net.Socket) => void) => {
    for (const pair of pairs) pair.forEach(action);
  };
  return {
    port: address.port,
    cut,
    plug: () => listen(address.port),
    hold: () => {
      held = true;
      each((socket) => socket.pause());
    },
    release: () => {
      held = false;
      each((socket) => socket.resume());
    },
    connections: () => made,
    close: cut,
  };
}
