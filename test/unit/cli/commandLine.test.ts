import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { glob, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pLimit from 'p-limit';

const root = path.resolve(import.meta.dirname, '../../..');
/** The program as it is built: its sources take six times as long to start. */
const cli = path.join(root, 'dist', 'cli.cjs');
const inventory = `version: 1
clusters: [{ name: prod, context: nowhere }]
vms: [{ name: db-1, cluster: prod, namespace: vm }]
`;

const turns = pLimit(4);

/** Runs the real program without a terminal, in a folder of its own; a few beside each other where the caller does not wait. */
const run = (...call: Parameters<typeof start>): ReturnType<typeof start> => turns(() => start(...call));

async function start(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
  options: readonly string[] = [],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [...options, cli, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      KUBECONFIG: path.join(folder, 'none'),
      NODE_COMPILE_CACHE: path.join(root, 'out', 'compiled'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
    child.on('error', () => resolve(null));
  });
  return { code, out, err };
}

describe('command line', function () {
  this.timeout(60_000);
  let folder = '';
  before(async () => {
    const built = (await stat(cli)).mtimeMs;
    for await (const file of glob(['src/**/*.ts', 'package.json'], { cwd: root }))
      assert.ok((await stat(path.join(root, file))).mtimeMs < built, `${file} is newer than dist/cli.cjs: npm run build`);
    folder = await mkdtemp(path.join(tmpdir(), 'mesh-expansion-cli-'));
    await writeFile(path.join(folder, 'mesh-expansion.yaml'), inventory);
    await writeFile(path.join(folder, 'list.yaml'), '- 1\n');
  });
  after(async () => rm(folder, { recursive: true }));

  it('refuses a change without a terminal and without --yes, at once', async () => {
    const changes = [
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
    ];
    const refuses = async (args: readonly string[]): Promise<void> => {
      const { code, out, err } = await run(folder, args);
      assert.deepEqual([code, out], [4, ''], args.join(' '));
      assert.match(err, /^error: .*\n {2}next: .*--yes/);
    };
    await Promise.all(changes.map(refuses));
  });

  it('ends with 2 for wrong usage, and says it in the document too', async () => {
    const cases: [string[], RegExp][] = [
      [[], /^$/],
      [['nope'], /unknown command 'nope'/],
      [['push', '--yes', '--nope'], /unknown option '--nope'/],
      [['push', '--yes'], /--vm/],
      [['push', '--yes', '--vm', 'db-1', '--all'], /--vm/],
      [['generate', '--vm', 'db-1'], /--out/],
      [['generate', '--vm', 'db-1', '--out', ''], /--out <dir>' argument '' is invalid/],
      [['generate', '--vm', 'db-1', '--out', '--yes'], /'--out <dir>' argument missing/],
      [['generate', '--vm', 'db-1', '--vm', 'db-2', '--out', 'x'], /argument 'db-2' is invalid\. .*db-1/],
      [['cluster', 'status', '--cluster', 'prod', '--cluster', 'other'], /argument 'other' is invalid\. .*prod/],
      [['check', '--vm', 'db-1', '--only', '--yes'], /'--only <ids\.\.\.>' argument missing/],
      [['status', '--vm'], /'--vm <names\.\.\.>' argument missing/],
      [['status', '--al'], /unknown option '--al' \(did you mean --all\?\)/],
      [['status', '--all', 'db-1'], /too many arguments: db-1$/m],
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
    const refuses = async ([args, expected]: (typeof cases)[number]): Promise<void> => {
      const { code, out, err } = await run(folder, args);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
      assert.match(err, expected.source === '^$' ? /Usage/ : expected);
    };
    await Promise.all(cases.map(refuses));
    const documents: [args: string[], command: string][] = [
      [['push', '--json', '--nope'], 'push'],
      [['cluster', 'setup', '--json', '--cluster'], 'cluster setup'],
      [['--json', 'status', '--all'], 'status'],
      [['nope', '--json'], 'nope'],
    ];
    const documented = async ([args, command]: (typeof documents)[number]): Promise<void> => {
      const { code, out } = await run(folder, args);
      const document = JSON.parse(out) as {
        version: number;
        command: string;
        results: unknown[];
        error: { code: string; message: string; nextStep: string };
      };
      assert.deepEqual([code, document.version, document.command, document.results, document.error.code], [2, 1, command, [], 'cli.usage']);
      assert.match(document.error.message, /^(unknown|option|too many)/);
      assert.match(document.error.nextStep, /--help/);
    };
    await Promise.all(documents.map(documented));
  });

  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
    assert.deepEqual(await run(folder, ['--version']), { code: 0, out: `${version}\n`, err: '' });
  });

  it('tells an older Node which one it needs, in the document too', async () => {
    await writeFile(
      path.join(folder, 'older.cjs'),
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.18.0' } });",
    );
    const { code, out, err } = await run(folder, ['status', '--all', '--json'], {}, ['--require', path.join(folder, 'older.cjs')]);
    assert.equal(code, 1);
    assert.match(err, /^error: .*Node 22\.19 or later; this is 22\.18\.0[\s\S]*\n {2}next: /);
    assert.equal((JSON.parse(out) as { error: { code: string } }).error.code, 'cli.node');
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
      [['status', '--all', '--inventory', 'other.yaml'], /no file other\.yaml[\s\S]*--inventory/],
      [['status', '--all', '--inventory', 'list.yaml'], /^error: This is not a mapping[\s\S]*list\.yaml, line 1/],
      [['status', '--all', '--context', 'prodd=x'], /no cluster prodd[\s\S]*prod/],
      [['cluster', 'status', '--cluster', 'prod', '--snapshot', 'none.yaml'], /no file none\.yaml/],
      [['cluster', 'status', '--cluster', 'prod', '--kubeconfig', 'none'], /no file none/],
      [['cluster', 'status', '--cluster', 'prod'], /nowhere/],
    ];
    const refuses = async ([args, expected]: (typeof cases)[number]): Promise<void> => {
      const { code, out, err } = await run(folder, args);
      assert.deepEqual([code, out], [2, ''], `${args.join(' ')}: ${err}`);
      assert.match(err, expected);
      assert.match(err, /next: |--help/);
    };
    await Promise.all(cases.map(refuses));
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
    const chinese = { LANG: 'zh_CN.UTF-8' };
    // What is in quotes or brackets is what the person wrote, or what to write.
    const plain = (text: string): string => text.replaceAll(/'[^']*'|<[^>]*>|\[--[^\]]*\]/g, '');
    const helps = [['--help'], ['cluster', '--help'], ['cluster', 'setup', '--help'], ['generate', '--help'], ['help', 'status']];
    const helping = async (args: readonly string[]): Promise<void> => {
      const { code, out } = await run(folder, args, chinese);
      assert.equal(code, 0);
      assert.match(out, /^用法：/);
      assert.match(out, /虚拟机/);
      assert.doesNotMatch(plain(out), /Usage|Options|Commands|\[options|\[command|display|default:|choices:|show/, args.join(' '));
    };
    const wrong = [
      ['push', '--nope'],
      ['status', '--al'],
      ['nope'],
      ['statu'],
      ['status', '--vm'],
      ['generate', '--vm', 'db-1'],
      ['generate', '--vm', 'db-1', '--out', ''],
      ['cluster', 'setup', '--cluster', 'prod', '--provider', 'gke'],
      ['status', '--all', 'db-1'],
    ];
    const refuses = async (args: readonly string[]): Promise<void> => {
      const { code, err } = await run(folder, args, chinese);
      assert.equal(code, 2);
      assert.match(err, /^错误：/, args.join(' '));
      assert.doesNotMatch(
        plain(err),
        /error|unknown|option|argument|missing|required|invalid|llowed|Did you|Expected|many/,
        args.join(' '),
      );
    };
    await Promise.all([...helps.map(helping), ...wrong.map(refuses)]);
  });
});
