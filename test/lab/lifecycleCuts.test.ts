// An `up` that is cut off, or fails: `down` leaves nothing behind, and another `up` goes on from there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { down } from './down.ts';
import { labEnv } from './env.ts';
import { uplinkName } from './names.ts';
import { readRecord } from './record.ts';
import { ownLabName, testContext as context } from './support/ownLab.ts';
import { traces } from './support/traces.ts';
import { run } from './toolchain/run.ts';
import { up } from './up.ts';

describe('a lab whose up is cut off', function () {
  this.timeout(120_000);
  const first = ownLabName('side-a');

  before(async function () {
    this.timeout(1_800_000);
    await down(first);
  });

  after(async () => {
    await down(first);
  });

  const cuts = [
    ...[150, 400, 800, 1600, 3200].map((delay) => ({ istio: 'citadel', delay })),
    // By then its gateway is being started.
    { istio: 'istiod', delay: 6000 },
  ];
  for (const { istio, delay } of cuts) {
    it(`down leaves nothing after up --istio ${istio} was killed with -9 at ${delay} ms`, async () => {
      const argv = ['up', '--name', first, '--machines', '1', '--istio', istio];
      const child = spawn(process.execPath, [path.join(import.meta.dirname, 'lab.ts'), ...argv], { stdio: 'ignore' });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await sleep(delay);
      child.kill('SIGKILL');
      await ended;
      const record = await readRecord(first);
      await down(first);
      assert.deepEqual(await traces(first), []);
      if (record) assert.notEqual((await run(['ip', 'link', 'show', uplinkName(record.index)], { tolerant: true })).code, 0);
    });
  }

  it('up fails with the words of the program that does not work, not of the one that waits for it', async () => {
    const assets = await mkdtemp(path.join(tmpdir(), 'mesh-lab-assets-'));
    try {
      await writeFile(path.join(assets, 'etcd'), '#!/bin/sh\necho broken on purpose >&2\nexit 1\n', { mode: 0o755 });
      const failed = await run([process.execPath, path.join(import.meta.dirname, 'lab.ts'), 'up', '--name', first, '--machines', '1'], {
        tolerant: true,
        timeout: 110_000,
        env: { ...process.env, KUBEBUILDER_ASSETS: assets },
      });
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, /kube-apiserver has ended; etcd had ended before\.\nThe end of the log of etcd:\nbroken on purpose\n/);
    } finally {
      await rm(assets, { recursive: true });
      await down(first);
    }
    assert.deepEqual(await traces(first), []);
  });

  it('after a half-way kill, another up finishes the lab', async () => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'lab.ts'), 'up', '--name', first, '--machines', '1'], {
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await sleep(1000);
    child.kill('SIGKILL');
    await ended;
    await up(first, 1, context);
    const lab = await labEnv(first);
    assert.equal((await lab.ssh('vm-1', ['hostname'])).stdout.trim(), 'vm-1');
    assert.equal((await lab.kubectl(['get', 'node', 'lab'])).code, 0);
  });
});
