// Every process of a lab lives in a cgroup named after it: how a lab finds and ends its own, whoever started them and however that one died.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupRoots } from './names.ts';

const STARTER = 'up-';

/** Makes the lab's cgroup `group` (`cluster/etcd`, `vm-1`) in each hierarchy and returns the directories. */
export async function makeGroup(lab: string, group: string): Promise<string[]> {
  const directories = cgroupRoots(lab).map((root) => path.join(root, group));
  for (const directory of directories) await mkdir(directory, { recursive: true });
  return directories;
}

/** Process ids in the group and below it, in any hierarchy. Empty where there is no such group. */
export async function members(lab: string, group = ''): Promise<number[]> {
  const found = new Set<number>();
  for (const root of cgroupRoots(lab)) {
    for (const directory of await directoriesBelow(path.join(root, group))) {
      const list = await readFile(path.join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of list.split('\n')) if (Number(line) > 0) found.add(Number(line));
    }
  }
  return [...found];
}

/** Ends every process in the group (SIGTERM, then SIGKILL after `patience` milliseconds) and removes the group. */
export async function endGroup(lab: string, group: string, patience: number): Promise<void> {
  const started = Date.now();
  if (patience > 0) signalAll(await members(lab, group), 'SIGTERM');
  for (;;) {
    const left = await members(lab, group);
    if (left.length === 0) break;
    if (Date.now() - started > patience + 20_000) throw new Error(`processes ${left.join(' ')} of lab ${lab} do not end`);
    if (Date.now() - started > patience) signalAll(left, 'SIGKILL');
    await sleep(50);
  }
  for (const root of cgroupRoots(lab)) await removeTree(path.join(root, group));
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone between the list and the signal: what was wanted.
    }
  }
}

/** Moves this process into a group of its own in the lab, so that what it starts is found there should it be killed. */
export async function enterOwnGroup(lab: string): Promise<void> {
  for (const directory of await makeGroup(lab, `${STARTER}${process.pid}`))
    await writeFile(path.join(directory, 'cgroup.procs'), String(process.pid));
}

/** Ends what starters that are dead have left running: their children may still be writing where the next one is about to. */
export async function endOrphans(lab: string): Promise<void> {
  const groups = (await Promise.all(cgroupRoots(lab).map((root) => readdir(root).catch(() => [])))).flat();
  for (const group of new Set(groups.filter((name) => name.startsWith(STARTER)))) {
    const alive = await readFile(`/proc/${group.slice(STARTER.length)}/stat`).then(
      () => true,
      () => false,
    );
    if (!alive) await endGroup(lab, group, 0);
  }
}

async function directoriesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => directoriesBelow(path.join(directory, entry.name))),
  );
  return [directory, ...below.flat()];
}

async function removeTree(directory: string): Promise<void> {
  // Deepest first; a cgroup can be busy for a moment after its last process has gone.
  for (let attempt = 0; attempt < 40; attempt += 1) {
    for (const found of (await directoriesBelow(directory)).reverse()) await rmdir(found).catch(() => undefined);
    if (
      await readdir(directory).then(
        () => false,
        () => true,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error(`cgroup ${directory} cannot be removed`);
}
