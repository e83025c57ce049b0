// Labs come and go: two side by side, one of each kind, and none leaves anything behind, also where everything of it was killed. An `up` that is cut off: lifecycleCuts.test.ts.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { members } from './cgroups.ts';
import { down } from './down.ts';
import { labEnv } from './env.ts';
import { leader } from './machines.ts';
import { ownLabName, testContext as context } from './support/ownLab.ts';
import { traces } from './support/traces.ts';
import { up } from './up.ts';

/** What runs of the lab for good: its cluster's processes and each machine's first; what comes and goes on a machine is its own affair, and kube-proxy's nft its. */
async function lasting(lab: string): Promise<Set<number | undefined>> {
  const cluster: number[] = [];
  for (const pid of await members(lab, 'cluster')) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (!['', 'nft', 'ip'].includes(name.trim())) cluster.push(pid);
  }
  return new Set([...cluster, await leader(lab, 'vm-1')]);
}

/** Ends everything the lab runs, by SIGKILL, and waits until the kernel has. */
async function killAll(lab: string): Promise<void> {
  for (;;) {
    const pids = await members(lab);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Its parent's end was its own.
      }
    }
    await sleep(50);
  }
}

describe('labs', function () {
  this.timeout(120_000);
  const first = ownLabName('side-a');
  const second = ownLabName('side-b');
  const names = [first, second] as const;

  before(async function () {
    this.timeout(1_800_000);
    for (const name of names) await down(name);
  });

  after(async () => {
    for (const name of names) await down(name);
  });

  it('two live side by side: same names, other addresses, each its own services', async () => {
    await Promise.all([up(first, 1, context), up(second, 1, context, 'istiod')]);
    const [a, b] = await Promise.all(names.map((name) => labEnv(name)));
    assert.ok(a && b);
    assert.notEqual(a.machine('vm-1').address, b.machine('vm-1').address);
    await a.kubectl(['create', 'namespace', 'only-here']);
    assert.equal((await b.kubectl(['get', 'namespace', 'only-here'], { tolerant: true })).code, 1);
    for (const lab of [a, b]) {
      assert.equal((await lab.ssh('vm-1', ['hostname'])).stdout.trim(), 'vm-1');
      const page = await lab.ssh('vm-1', ['curl', '-sS', '--max-time', '5', `http://${lab.addresses.pods.productpage}:9080/`]);
      assert.match(page.stdout, /Simple Bookstore App/);
    }
    const foreign = await a.ssh('vm-1', ['curl', '-sS', '--max-time', '2', `http://${b.addresses.pods.productpage}:9080/`], {
      tolerant: true,
    });
    assert.notEqual(foreign.code, 0);
  });

  it('a second up changes nothing', async () => {
    for (const name of names) {
      const before = await lasting(name);
      await up(name, 1, context);
      assert.deepEqual(await lasting(name), before);
    }
  });

  it('a lab keeps the Istio it was made with', async () => {
    assert.deepEqual([(await labEnv(first)).istio, (await labEnv(second)).istio], ['citadel', 'istiod']);
    await assert.rejects(up(second, 1, context, 'citadel'), /runs with istiod/);
    assert.equal((await labEnv(second)).istio, 'istiod');
  });

  it('down takes one and leaves the other', async () => {
    await down(first);
    assert.deepEqual(await traces(first), []);
    const other = await labEnv(second);
    assert.equal((await other.ssh('vm-1', ['true'])).code, 0);
    assert.equal((await other.kubectl(['get', 'namespaces'])).code, 0);
  });

  it('up starts again what was killed with -9, and keeps what the API server and the machine had', async () => {
    const lab = await labEnv(second);
    await lab.kubectl(['create', 'namespace', 'kept']);
    await lab.ssh('vm-1', ['sh', '-c', 'echo kept > kept; sync']);
    await killAll(second);
    await up(second, 1, context);
    assert.equal((await lab.kubectl(['get', 'namespace', 'kept'])).code, 0);
    assert.equal((await lab.ssh('vm-1', ['cat', 'kept'])).stdout, 'kept\n');
  });

  it('down leaves nothing after everything was killed with -9', async () => {
    await killAll(second);
    await down(second);
    assert.deepEqual(await traces(second), []);
  });
});
