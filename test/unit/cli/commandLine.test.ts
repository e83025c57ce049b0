import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

// As it is installed; the build makes it before the tests.
const cli = path.resolve(import.meta.dirname, '../../../dist/cli.cjs');
const inventory = `version: 1
clusters: [{ name: prod, context: nowhere }]
vms: [{ name: db-1, cluster: prod, namespace: vm }]
`;

/** Runs the real program without a terminal, in a folder of its own. */
async function run(
  folder: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, KUBECONFIG: path.join(folder, 'none'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

describe('command line', function () {
  this.timeout(60_000);
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mesh-expansion-cli-'));
    await writeFile(path.join(folder, 'mesh-expansion.yaml'), inventory);
  });
  after(async () => rm(folder, { recursive: true }));

  it('refuses a change without a terminal and without --yes, at once', async () => {
    for (const args of [
      ['join', '--vm', 'db-1'],
      ['push', '--all'],
      ['leave', '--vm', 'db-1'],
      ['rollback', '--vm', 'db-1'],
      ['register', '--service', 'x'],
      ['deregister', '--service', 'x'],
      ['cluster', 'setup', '--cluster', 'prod'],
      ['renew', '--all'],
      ['upgrade', '--vm', 'db-1', '--package', 'x.deb'],
      ['group', 'apply', '--cluster', 'prod', '-f', 'group.yaml'],
    ]) {
      const { code, out, err } = await run(folder, args);
      assert.deepEqual([code, out], [4, ''], args.join(' '));
      assert.match(err, /^error: .*\n {2}next: .*--yes/);
    }
  });

  it('ends with 2 for wrong usage, and says it in the document too', async () => {
    const cases: [string[], RegExp][] = [
      [[], /^$/],
      [['nope'], /unknown command 'nope'/],
      [['push', '--yes', '--nope'], /unknown option '--nope'/],
      [['push', '--yes'], /--vm/],
      [['push', '--yes', '--vm', 'db-1', '--all'], /--vm/],
      [['generate', '--vm', 'db-1'], /--out/],
      [['upgrade', '--yes', '--vm', 'db-1'], /--package/],
      [['renew', '--yes'], /--vm/],
      [['group', 'apply', '--yes', '-f', 'x.yaml'], /--cluster/],
      [['group', 'apply', '--yes', '--cluster', 'prod'], /--file/],
      [['group'], /^$/],
      [['push', '--yes', '--all', '--context', 'prod'], /NAME=CONTEXT/],
      [['push', '--yes', '--all', '--context', 'prod=-x'], /NAME=CONTEXT/],
      [['cluster', 'setup', '--yes', '--cluster', 'prod', '--provider', 'gke'], /gke/],
      [['cluster', 'setup', '--yes', '--cluster', 'prod', '--wait', '-1'], /seconds|argument missing/],
    ];
    for (const [args, expected] of cases) {
      const { code, out, err } = await run(folder, args);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
      assert.match(err, expected.source === '^$' ? /Usage/ : expected);
    }
    const { code, out } = await run(folder, ['push', '--json', '--nope']);
    const document = JSON.parse(out) as { version: number; command: string; results: unknown[]; error: { code: string } };
    assert.deepEqual([code, document.version, document.command, document.results, document.error.code], [2, 1, 'push', [], 'cli.usage']);
  });

  it('ends with 2 for names and files that are not there, with the nearest name', async () => {
    const cases: [string[], RegExp][] = [
      [['push', '--yes', '--vm', 'db-l'], /no VM db-l[\s\S]*db-1/],
      [['join', '--yes', '--vm', 'db-1', '-oProxyCommand=x'], /unknown option/],
      [['check', '--vm', '../x'], /no VM/],
      [['cluster', 'status', '--cluster', 'prd'], /no cluster prd[\s\S]*prod/],
      [['register', '--yes', '--service', 'x'], /no service x/],
      [['group', 'list', '--cluster', 'prd'], /no cluster prd[\s\S]*prod/],
      [['group', 'apply', '--yes', '--cluster', 'prod', '-f', 'none.yaml'], /no file none\.yaml/],
      [['status', '--all', '--inventory', 'other.yaml'], /no file other\.yaml/],
      [['status', '--all', '--context', 'prodd=x'], /no cluster prodd[\s\S]*prod/],
      [['cluster', 'status', '--cluster', 'prod', '--snapshot', 'none.yaml'], /no file none\.yaml/],
      [['cluster', 'status', '--cluster', 'prod', '--kubeconfig', 'none'], /no file none/],
      [['cluster', 'status', '--cluster', 'prod'], /nowhere/],
    ];
    for (const [args, expected] of cases) {
      const { code, out, err } = await run(folder, args);
      assert.deepEqual([code, out], [2, ''], `${args.join(' ')}: ${err}`);
      assert.match(err, expected);
      assert.match(err, /next: |--help/);
    }
  });

  it('tells every problem of an inventory with its line, and changes nothing', async () => {
    await writeFile(path.join(folder, 'wrong.yaml'), inventory.replace('namespace: vm', 'namespce: vm, inboundPorts: [0]'));
    const before = await readdir(folder);
    const { code, out } = await run(folder, ['join', '--yes', '--all', '--inventory', 'wrong.yaml', '--json']);
    assert.equal(code, 2);
    const { error } = JSON.parse(out) as { error: { code: string; message: string; problems: { field: string; line: number }[] } };
    assert.equal(error.code, 'inventory.invalid');
    assert.deepEqual(error.problems.map(({ field, line }) => `${line} ${field}`).sort(), [
      '3 vms[0].inboundPorts[0]',
      '3 vms[0].namespace',
      '3 vms[0].namespce',
    ]);
    assert.deepEqual(await readdir(folder), before);
  });

  it('names the field and the line of a workload group that is wrong, and asks no cluster', async () => {
    const text =
      'apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: { name: mysql, namespace: vm }\nspec:\n  template:\n    ports: { mysql: 99999 }\n';
    await writeFile(path.join(folder, 'group.yaml'), text);
    const { code, out, err } = await run(folder, ['group', 'apply', '--yes', '--json', '--cluster', 'prod', '-f', 'group.yaml']);
    const { error } = JSON.parse(out) as { error: { code: string; field: string } };
    assert.deepEqual([code, error.code, error.field], [2, 'group.invalid', 'spec.template.ports.mysql']);
    assert.match(err, /99999[\s\S]*group\.yaml, line 6, column 21/);
  });

  it('speaks Simplified Chinese where the locale does', async () => {
    assert.match((await run(folder, ['push', '--all'], { LANG: 'zh_CN.UTF-8' })).err, /^错误：/);
    assert.match((await run(folder, ['--help'], { LANG: 'zh_CN.UTF-8' })).out, /虚拟机/);
  });
});
