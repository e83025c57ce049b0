// What a lab leaves on this machine, found past its own code.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { cacheDirectory } from '../../../scripts/node24.mjs';
import { run } from '../toolchain/run.ts';

/** Everything on this machine that carries the lab's name, found with ip, findmnt, ps and ls. */
export async function traces(lab: string): Promise<string[]> {
  const lines = async (...argv: [string, ...string[]]) => (await run(argv, { tolerant: true })).stdout.split('\n');
  const processes: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const [groups, command] = await Promise.all(
      ['cgroup', 'cmdline'].map((file) => readFile(path.join('/proc', entry, file), 'utf8').catch(() => '')),
    );
    const isOurs = groups?.includes(`mesh-lab.${lab}/`) === true || command?.includes(`/labs/${lab}/`) === true;
    // A zombie has no command line any more and waits only for its parent.
    if (isOurs && command !== '') processes.push(`process ${entry} ${command?.replaceAll('\0', ' ') ?? ''}`);
  }
  const found = [
    ...(await lines('ip', 'netns', 'list')).filter((line) => new RegExp(`^mesh-lab\\.${lab}(\\.|\\s|$)`).test(line)),
    ...(await lines('findmnt', '-rno', 'TARGET')).filter((line) => line.includes(`/labs/${lab}/`)),
    ...(await lines('find', '/sys/fs/cgroup', '-maxdepth', '2', '-name', `mesh-lab.${lab}`)),
    ...(await lines('ls', '-d', path.join(cacheDirectory, 'labs', lab))),
  ];
  return [...found.filter(Boolean), ...processes];
}
