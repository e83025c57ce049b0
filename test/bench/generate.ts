// The files of 100 VMs, tokens included, from a real API server with istiod, beside the real istioctl run once per VM, in the same run. Needs root. Prints Markdown.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import { parseInventory } from '../../src/mesh/inventory.ts';
import { down } from '../lab/down.ts';
import type { Lab } from '../lab/env.ts';
import { clusterMesh } from '../lab/support/clusterMesh.ts';
import { startOwnLab } from '../lab/support/ownLab.ts';

const VMS = 100;
const AT_ONCE = 10;
const GROUP = 'bench';
const names = Array.from({ length: VMS }, (_, index) => `vm-${index + 1}`);
const group = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'WorkloadGroup',
  metadata: { name: GROUP, namespace: 'vm' },
  spec: { metadata: { labels: { app: GROUP } }, template: { serviceAccount: GROUP, ports: { http: 8080 } } },
};

async function ours(lab: Lab): Promise<string[]> {
  const { inventory } = parseInventory(
    stringify({
      version: 1,
      clusters: [{ name: 'prod', context: lab.contexts.lab }],
      vms: names.map((name) => ({ name, cluster: 'prod', namespace: 'vm', serviceAccount: GROUP, workloadGroup: GROUP })),
    }),
  );
  const mesh = clusterMesh(lab, inventory);
  const limit = pLimit(AT_ONCE);
  const tokens = await Promise.all(
    names.map((name) =>
      limit(async () => {
        const { files } = await mesh.generate(name, { offline: true });
        const [token] = files.flatMap(({ content }) => (content.kind === 'minted' ? [content] : []));
        return new TextDecoder().decode((await token?.mint())?.reveal());
      }),
    ),
  );
  await mesh.close();
  return tokens;
}

async function theirs(lab: Lab, folder: string): Promise<string[]> {
  const input = path.join(folder, 'group.json');
  await writeFile(input, JSON.stringify(group));
  const tokens: string[] = [];
  for (const name of names) {
    const output = path.join(folder, name);
    await lab.istioctl(['x', 'workload', 'entry', 'configure', '-f', input, '-o', output, '--autoregister', '--clusterID', 'Kubernetes']);
    tokens.push(await readFile(path.join(output, 'istio-token'), 'utf8'));
  }
  return tokens;
}

async function seconds(what: string, work: () => Promise<string[]>): Promise<number> {
  const begin = performance.now();
  const tokens = await work();
  const time = (performance.now() - begin) / 1000;
  if (tokens.filter((token) => token.split('.').length === 3).length !== VMS) throw new Error(`${what} did not make ${VMS} tokens`);
  return time;
}

const lab = await startOwnLab('bench', 1, 'istiod');
const folder = await mkdtemp(path.join(os.tmpdir(), 'bench-generate-'));
try {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: GROUP, namespace: 'vm' } };
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [account, group] }) });
  // The first run of each also reads its program from the disk.
  await lab.istioctl(['version', '--remote=false']);
  const rows = [
    { name: `the core, ${AT_ONCE} at once`, time: await seconds('the core', () => ours(lab)) },
    { name: 'istioctl x workload entry configure, one after the other', time: await seconds('istioctl', () => theirs(lab, folder)) },
  ];
  const first = rows[0]?.time ?? NaN;
  const table = rows.map(({ name, time }) => `| ${name} | ${time.toFixed(2)} | ${(time / first).toFixed(1)} |`).join('\n');
  process.stdout.write(
    `### Files of ${VMS} VMs, tokens included\n\nOnce, in seconds, and as a ratio to the first row.\n\n| what | s | ratio |\n| --- | --- | --- |\n${table}\n`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
  await down(lab.name);
}
