import assert from 'node:assert/strict';
import { isMeshError } from '../../../src/mesh/errors.ts';
import { HostKeyPolicy, memoryTrustStore, type TrustStore } from '../../../src/ssh/hostKey.ts';

const config = {
  alias: 'vm-1',
  hostName: '192.0.2.9',
  port: 2222,
  options: new Map([
    ['userknownhostsfile', ['none']],
    ['globalknownhostsfile', ['none']],
  ]),
} as unknown as Parameters<typeof HostKeyPolicy.load>[0];

/** RFC 8709: the name of the type, and 32 bytes. */
function ed25519(fill: number): Buffer {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.alloc(32, fill))]);
}

async function refusal(trust: TrustStore): Promise<unknown> {
  trust.append(`[192.0.2.9]:2222 ssh-ed25519 ${ed25519(1).toString('base64')}`);
  const policy = await HostKeyPolicy.load(config, trust);
  assert.equal(policy.verify(ed25519(1)), true);
  assert.equal(policy.verify(ed25519(2)), false);
  return policy.refusal;
}

describe('a host key that is another than the one that was accepted here', () => {
  it('is refused with the way to forget that one in the editor', async () => {
    const error = await refusal(memoryTrustStore());
    assert.ok(isMeshError(error, 'host.key-changed'));
    assert.equal(error.nextStep?.id, 'ssh.key-changed-accepted.next');
  });

  it('is refused with the command that takes it out of the file where it is kept', async () => {
    const error = await refusal({ ...memoryTrustStore(), file: '/home/a b/known_hosts' });
    assert.ok(isMeshError(error, 'host.key-changed'));
    assert.equal(error.nextStep?.id, 'ssh.key-changed-kept.next');
    assert.equal(error.nextStep.args.command, `ssh-keygen -R '[192.0.2.9]:2222' -f '/home/a b/known_hosts'`);
  });
});
