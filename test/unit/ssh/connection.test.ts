import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough, type Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { isMeshError } from '../../../src/mesh/errors.ts';
import { Connection } from '../../../src/ssh/connection.ts';

type Opened = (error: Error | undefined, channel?: Duplex) => void;

/** A jump host that takes the request for a stream and answers when the test says so, as sshd does while the target's network drops packets. */
class SilentJump extends EventEmitter {
  answer: Opened = () => assert.fail('not asked yet');

  forwardOut(_from: string, _port: number, _host: string, _to: number, opened: Opened): void {
    this.answer = opened;
  }

  destroy(): void {
    this.emit('close');
  }
}

describe('a remote command', () => {
  /** A server that takes the request for a channel and says nothing. */
  class SilentServer extends EventEmitter {
    answer: Opened = () => assert.fail('not asked yet');
    exec(_command: string, opened: Opened): void {
      this.answer = opened;
    }
    destroy(): void {
      this.emit('close');
    }
  }
  const start = (options: { readonly limitMs?: number; readonly signal?: AbortSignal }) => {
    const server = new SilentServer();
    const connection = new Connection(server as unknown as Client, { host: 'db', user: 'admin' }, undefined);
    return { server, connection, channel: connection.exec('true', options).catch((error: unknown) => error) };
  };

  it('that gets no channel in time is given up with its connection', async () => {
    const { server, connection, channel } = start({ limitMs: 20 });
    assert.ok(isMeshError(await channel, 'host.lost'));
    assert.equal(connection.open, false);
    const late = new PassThrough();
    server.answer(undefined, late);
    assert.equal(late.destroyed, true);
  });

  it('can be cancelled before its channel is open, and the connection stays', async () => {
    const control = new AbortController();
    const { connection, channel } = start({ signal: control.signal });
    control.abort();
    assert.ok(isMeshError(await channel, 'cancelled'));
    assert.equal(connection.open, true);
  });

  it('gets its channel, or the server’s refusal', async () => {
    const granted = start({ limitMs: 60_000 });
    const channel = new PassThrough();
    granted.server.answer(undefined, channel);
    assert.equal(await granted.channel, channel);
    const refused = start({ limitMs: 60_000 });
    refused.server.answer(new Error('open failed'));
    assert.ok(isMeshError(await refused.channel, 'host.command'));
  });
});

describe('a stream through a jump host', () => {
  const open = (options: { readonly limitMs: number; readonly signal?: AbortSignal }) => {
    const client = new SilentJump();
    const jump = new Connection(client as unknown as Client, { host: 'bastion', user: 'admin' }, undefined);
    return { client, stream: jump.forward('10.0.0.5', 22, options).catch((error: unknown) => error) };
  };

  it('is given up when the jump host says nothing in time, and closed when it comes too late', async () => {
    const { client, stream } = open({ limitMs: 20 });
    const error = await stream;
    assert.ok(isMeshError(error, 'host.unreachable'));
    assert.equal(error.userMessage.args.via, 'bastion');
    const late = new PassThrough();
    client.answer(undefined, late);
    assert.equal(late.destroyed, true);
  });

  it('is given up when the person cancels', async () => {
    const control = new AbortController();
    const { stream } = open({ limitMs: 60_000, signal: control.signal });
    control.abort();
    assert.ok(isMeshError(await stream, 'cancelled'));
  });

  it('is not asked for after the person cancelled', async () => {
    const { client, stream } = open({ limitMs: 60_000, signal: AbortSignal.abort() });
    assert.ok(isMeshError(await stream, 'cancelled'));
    assert.throws(() => client.answer(undefined), /not asked yet/);
  });

  it('ends with the connection', async () => {
    const { client, stream } = open({ limitMs: 60_000 });
    client.destroy();
    assert.ok(isMeshError(await stream, 'host.lost'));
  });

  it('is handed over', async () => {
    const { client, stream } = open({ limitMs: 60_000 });
    const channel = new PassThrough();
    client.answer(undefined, channel);
    assert.equal(await stream, channel);
    assert.equal(channel.destroyed, false);
  });
});
