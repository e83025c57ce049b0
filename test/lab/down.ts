// Takes a lab down and leaves nothing of it, whatever state it was left in: it looks for what exists under the lab's names, not for what a record says.
import { readFile, readdir, rm } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup } from './cgroups.ts';
import { unmount } from './machines.ts';
import { cgroupRoots, labLock, labPaths, uplinkName } from './names.ts';
import { namespaces, removeNetwork } from './network.ts';
import { requireRoot } from './privilege.ts';
import { readRecord } from './record.ts';
import { withLock } from './toolchain/lock.ts';
import { run } from './toolchain/run.ts';

/** Removes processes, cgroups, mounts, namespaces, links and state of the lab. Throws when something is left. True when there was anything. */
export async function down(lab: string): Promise<boolean> {
  requireRoot();
  return withLock(labLock(lab), 900, async () => {
    const present = (await leftovers(lab)).length > 0;
    const record = await readRecord(lab).catch(() => undefined);
    await endGroup(lab, '', 0);
    await endStrays(lab);
    await unmount(labPaths(lab).state);
    await removeNetwork(lab);
    if (record) await run(['ip', 'link', 'del', uplinkName(record.index)], { tolerant: true });
    await rm(labPaths(lab).state, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    const left = await leftovers(lab);
    if (left.length > 0) throw new Error(`lab ${lab} is not quite gone: ${left.join(', ')}`);
    return present;
  });
}

// Whoever entered the lab's network on his own, a test's curl for example.
async function endStrays(lab: string): Promise<void> {
  for (const namespace of await namespaces(lab)) {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const pids = (await run(['ip', 'netns', 'pids', namespace], { tolerant: true })).stdout.split('\n').filter(Boolean).map(Number);
      if (pids.length === 0) break;
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Ended by itself meanwhile.
        }
      }
      await sleep(50);
    }
  }
}

/** What exists of the lab, one phrase each: namespaces, cgroups, mounts, its state directory. Empty for a lab that is not. */
export async function leftovers(lab: string): Promise<string[]> {
  const { state } = labPaths(lab);
  const exists = async (directory: string) =>
    readdir(directory).then(
      () => true,
      () => false,
    );
  const groups: string[] = [];
  for (const root of cgroupRoots(lab)) if (await exists(root)) groups.push(`cgroup ${root}`);
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((target) => target.startsWith(`${state}/`));
  return [
    ...(await namespaces(lab)).map((name) => `network namespace ${name}`),
    ...groups,
    ...mounts.map((target) => `mount ${target}`),
    ...((await exists(state)) ? [`directory ${state}`] : []),
  ];
}
