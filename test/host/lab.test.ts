import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { createRooms } from '../../src/backends.ts';
import { createContextSetter } from '../../src/editor/contextKeys.ts';
import { createFacts, type Facts } from '../../src/editor/facts.ts';
import { createGeneratedTexts, type GeneratedTexts } from '../../src/editor/generatedTexts.ts';
import { createLog } from '../../src/editor/log.ts';
import { createPrompts } from '../../src/editor/prompts.ts';
import { createSession, type Session } from '../../src/editor/session.ts';
import { createTexts } from '../../src/editor/texts.ts';
import { fileUri } from '../../src/editor/uris.ts';
import type { MessageBundle } from '../../src/mesh/messages.ts';
import { GeneratedFiles } from '../../src/providers/generatedFiles.ts';
import { MeshTree } from '../../src/views/tree.ts';
import type { Node } from '../../src/views/nodes.ts';
import { Watches } from '../../src/views/watches.ts';

interface Lab {
  readonly kubeconfig: string;
  readonly sshConfig: string;
  readonly kubectlBinary: string;
  readonly contexts: { readonly lab: string };
}

const given = process.env.MESH_EXPANSION_LAB;
const execute = promisify(execFile);
const VM = 'vm-1';
const KUBEDNS = '/etc/dnsmasq.d/kubedns';

/** The tree and the documents on the lab's real API server and machine, in a second set of the extension's parts. */
describe('on the lab', function () {
  this.timeout(120_000);
  const root = vscode.extensions.getExtension('mesh-expansion.mesh-expansion')?.extensionPath ?? '';
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const inventory = path.join(folder, 'mesh-expansion.yaml');
  const storage = mkdtempSync(path.join(os.tmpdir(), 'mesh-host-storage-'));
  let lab: Lab;
  let session: Session;
  let facts: Facts;
  let generated: GeneratedTexts;
  let tree: MeshTree;
  let files: GeneratedFiles;
  const disposables: { dispose(): unknown }[] = [];

  const texts = createTexts('en', (file) => JSON.parse(readFileSync(path.join(root, 'l10n', file), 'utf8')) as MessageBundle);
  const context = {
    globalStorageUri: vscode.Uri.file(path.join(storage, 'global')),
    storageUri: vscode.Uri.file(path.join(storage, 'workspace')),
  } as vscode.ExtensionContext;
  const kubectl = (...argv: string[]) =>
    execute(lab.kubectlBinary, ['--kubeconfig', lab.kubeconfig, '--context', lab.contexts.lab, ...argv]);
  const configure = (name: string, value: unknown) =>
    vscode.workspace.getConfiguration('meshExpansion').update(name, value, vscode.ConfigurationTarget.Global);
  const child = async (parent: Node | undefined, id: string): Promise<Node> => {
    const children = await tree.getChildren(parent);
    const found = children.find((node) => node.id === id);
    assert.ok(found, `${id} is not among ${children.map((node) => node.id).join(', ')}`);
    return found;
  };
  const item = (node: Node) => tree.getTreeItem(node);
  const until = async <T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> => {
    const end = Date.now() + 60_000;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (Date.now() > end) throw new Error(`not within a minute: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  before(async () => {
    assert.ok(given, 'MESH_EXPANSION_LAB is not set: these tests run on a lab');
    lab = JSON.parse(given) as Lab;
    await configure('kubeconfig', [lab.kubeconfig]);
    await configure('sshConfig', lab.sshConfig);
    writeFileSync(
      inventory,
      `version: 1\nclusters:\n  - context: ${lab.contexts.lab}\n  - name: gone\n    context: no-such-context\nvms:\n  - name: ${VM}\n    cluster: ${lab.contexts.lab}\n    namespace: vm\n`,
    );
    const channel = vscode.window.createOutputChannel('Mesh Expansion tests', { log: true });
    const prompts = createPrompts(texts, createLog(channel, texts));
    session = createSession({ context, rooms: createRooms({ read: () => '', append: () => undefined }), prompts, initial: 'real' });
    generated = createGeneratedTexts(context, session);
    facts = createFacts(session, (made) => generated.take(made));
    tree = new MeshTree({ session, facts, texts, keys: createContextSetter() });
    files = new GeneratedFiles(generated, facts, texts, () => undefined);
    disposables.push(channel, session, facts, generated, tree, files);
    const mesh = await session.mesh();
    const { runPlan } = await session.rooms.mesh();
    const result = await runPlan(await mesh.planSetup(lab.contexts.lab));
    assert.equal(result.error, undefined);
  });
  after(async () => {
    for (const disposable of disposables) disposable.dispose();
    await configure('kubeconfig', undefined);
    await configure('sshConfig', undefined);
    rmSync(storage, { recursive: true, force: true });
    rmSync(inventory, { force: true });
  });

  it('lists the inventory and every other context, and contacts none of them', async () => {
    const roots = await tree.getChildren();
    assert.deepEqual(
      roots.map((node) => [node.id, item(node).description]),
      [lab.contexts.lab, 'gone', 'lab-old', 'lab-viewer'].map((name) => [`cluster:${name}`, 'not contacted']),
    );
    assert.deepEqual(facts.known(), { clusters: [], vms: [] });
  });

  it('reads a cluster when it is opened: release, balancers with their addresses', async () => {
    const cluster = await child(undefined, `cluster:${lab.contexts.lab}`);
    await tree.getChildren(cluster);
    await until('the cluster is read', () => facts.cluster(lab.contexts.lab).value);
    assert.equal(item(await child(undefined, cluster.id)).description, 'Istio 1.0.3');
    const group = await child(cluster, `group:loadBalancers:${lab.contexts.lab}`);
    assert.equal(item(group).description, '4 of 4 ready');
    const { stdout } = await kubectl(
      '-n',
      'kube-system',
      'get',
      'service',
      'dns-ilb',
      '-o',
      'jsonpath={.status.loadBalancer.ingress[0].ip}',
    );
    const dns = item(await child(group, `loadBalancer:${lab.contexts.lab}:dns:dns-ilb`));
    assert.equal(dns.description, `${stdout}  UDP 53`);
    assert.match(dns.accessibilityInformation?.label ?? '', /^dns-ilb, ready, /);
  });

  it('says on its line why a cluster cannot be read, with a way to try again, and keeps the others', async () => {
    const gone = await child(undefined, 'cluster:gone');
    await tree.getChildren(gone);
    await until('the error is there', () => facts.cluster('gone').error);
    const [error] = await tree.getChildren(gone);
    assert.equal(error?.kind, 'error');
    assert.match(item(error).contextValue ?? '', /^error/);
    assert.match(texts.say(error.error.userMessage), /no-such-context/);
    assert.equal((await tree.getChildren()).length, 4);
  });

  it('asks a VM when its group is opened, and shows its files with what they are', async () => {
    const group = await child(await child(undefined, `cluster:${lab.contexts.lab}`), `group:vms:${lab.contexts.lab}`);
    await tree.getChildren(group);
    const status = await until(
      'the VM is read',
      () => facts.vm(VM).value ?? (facts.vm(VM).error === undefined ? undefined : Promise.reject(facts.vm(VM).error as Error)),
    );
    const vm = await child(group, `vm:${VM}`);
    assert.equal(item(vm).contextValue, `vm${status.condition === 'not-joined' ? '+notJoined' : '+joined'}`);
    const key = await child(vm, `file:${VM}:/etc/certs/key.pem`);
    assert.match(item(key).contextValue ?? '', /^file\+secret/);
    const tip = tree.resolveTreeItem(item(key), key).tooltip;
    assert.ok(
      tip instanceof vscode.MarkdownString && tip.value.replaceAll('&nbsp;', ' ').includes('0600 istio'),
      JSON.stringify(tip instanceof vscode.MarkdownString ? tip.value : tip),
    );
  });

  /** Watches of a tree that is visible; `opened` tells them what a person opens. */
  const watching = () => {
    const opened = new vscode.EventEmitter<vscode.TreeViewExpansionEvent<Node>>();
    const view = {
      visible: true,
      onDidExpandElement: opened.event,
      onDidCollapseElement: new vscode.EventEmitter().event,
      onDidChangeVisibility: new vscode.EventEmitter().event,
    } as unknown as vscode.TreeView<Node>;
    const log = createLog(vscode.window.createOutputChannel('Mesh Expansion watch', { log: true }), texts);
    return { opened, watches: new Watches(view, session, facts, log) };
  };

  it('asks a VM again when its entry in the inventory became another, whoever wrote it', async () => {
    const { watches } = watching();
    const text = readFileSync(inventory, 'utf8');
    const asked = facts.vm(VM).at;
    // Not of the VM: nobody is asked.
    writeFileSync(inventory, `${text}services: []\n`);
    await until('the new text is read', async () => ((await session.file.read()).text.includes('services') ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(facts.vm(VM).at, asked);
    writeFileSync(inventory, text.replace('namespace: vm', 'namespace: no-such-namespace'));
    const error = await until('the VM is asked with the other namespace', () => facts.vm(VM).error);
    assert.match(texts.say(error.userMessage), /no-such-namespace/);
    writeFileSync(inventory, text);
    await until('the VM is asked as before', () => (facts.vm(VM).error === undefined && !facts.vm(VM).loading ? true : undefined));
    watches.dispose();
  });

  it('asks which machine is meant where VS Code no longer names a row, also of several; what is open in the editor is not meant', async () => {
    await vscode.window.showTextDocument(fileUri({ cluster: lab.contexts.lab, vm: VM, path: KUBEDNS }));
    const row = { kind: 'vm', vm: { name: VM } };
    for (const args of [[undefined], [row, [row, undefined]]]) {
      let ended = false;
      const asked = vscode.commands.executeCommand('meshExpansion.openTerminal', ...args).then(() => (ended = true));
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(ended, false);
      await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
      await asked;
      assert.deepEqual(vscode.window.terminals, []);
    }
    // From the palette the document counts.
    await vscode.commands.executeCommand('meshExpansion.openTerminal');
    const [terminal] = vscode.window.terminals;
    assert.ok(terminal);
    assert.match(terminal.name, /vm-1/);
    terminal.dispose();
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('shows a change in the cluster within a moment while the cluster is open', async () => {
    const { opened, watches } = watching();
    try {
      opened.fire({ element: await child(undefined, `cluster:${lab.contexts.lab}`) });
      await kubectl('-n', 'istio-system', 'delete', 'service', 'mixer-ilb');
      const since = Date.now();
      await until('the balancer is shown missing', () =>
        facts.cluster(lab.contexts.lab).value?.loadBalancers.find(({ role }) => role === 'mixer')?.state === 'missing' ? true : undefined,
      );
      assert.ok(Date.now() - since < 15_000, `${Date.now() - since} ms`);
    } finally {
      watches.dispose();
      const { runPlan } = await session.rooms.mesh();
      await runPlan(await (await session.mesh()).planSetup(lab.contexts.lab));
    }
  });

  describe('generated files', () => {
    const uri = () => fileUri({ cluster: lab.contexts.lab, vm: VM, path: KUBEDNS });
    const read = async (at: vscode.Uri) => new TextDecoder().decode(await files.readFile(at));
    const edited = path.join(folder, '.mesh-expansion', VM, ...KUBEDNS.slice(1).split('/'));
    const added = 'address=/legacy-db.example/192.0.2.7\n';

    it('are read as they will be written, and contact nothing once they were', async () => {
      await generated.refresh(VM);
      const { stdout } = await kubectl(
        '-n',
        'istio-system',
        'get',
        'service',
        'istio-pilot-ilb',
        '-o',
        'jsonpath={.status.loadBalancer.ingress[0].ip}',
      );
      assert.ok((await read(uri())).includes(`address=/istio-pilot/${stdout}\n`));
      assert.equal((await files.stat(uri())).permissions, undefined);
    });

    it('never show a key, only facts, and cannot be written then', async () => {
      const key = fileUri({ cluster: lab.contexts.lab, vm: VM, path: '/etc/certs/key.pem' });
      const text = await read(key);
      assert.ok(!text.includes('PRIVATE'), text);
      assert.match(text, /SHA-256 fingerprint: /);
      assert.equal((await files.stat(key)).permissions, vscode.FilePermission.Readonly);
      await assert.rejects(files.writeFile(key, new TextEncoder().encode('x')), /NoPermissions/);
    });

    it('keep a saved edit beside the inventory, where the command line finds it', async () => {
      const before = await read(uri());
      await files.writeFile(uri(), new TextEncoder().encode(before + added));
      assert.equal(readFileSync(edited, 'utf8'), before + added);
      assert.match(readFileSync(`${edited}.base`, 'utf8'), /^[0-9a-f]{64}\n$/);
      const out = path.join(storage, 'out');
      const argv = [
        'generate',
        '--vm',
        VM,
        '--out',
        out,
        '--inventory',
        inventory,
        '--kubeconfig',
        lab.kubeconfig,
        '--ssh-config',
        lab.sshConfig,
      ];
      await execute(process.execPath, [path.join(root, 'dist', 'cli.cjs'), ...argv], {
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      });
      assert.equal(readFileSync(path.join(out, KUBEDNS), 'utf8'), before + added);
    });

    it('are remembered for the next start without a cluster, and no secret is', async () => {
      const next = createGeneratedTexts(context, {
        ...session,
        mesh: () => Promise.reject(new Error('contacted')),
        backend: () => Promise.reject(new Error('contacted')),
      });
      const held = await next.get({ cluster: lab.contexts.lab, vm: VM, path: KUBEDNS });
      assert.equal(held?.text.endsWith(added), true);
      assert.equal(await next.get({ cluster: lab.contexts.lab, vm: VM, path: '/etc/certs/key.pem' }), undefined);
      next.dispose();
      for (const file of readdirSync(storage, { recursive: true, encoding: 'utf8' }).filter(
        (name) => !name.startsWith('out') && statSync(path.join(storage, name)).isFile(),
      )) {
        assert.ok(!readFileSync(path.join(storage, file), 'utf8').includes('PRIVATE KEY'), file);
      }
    });

    it('go back to the generated text, and the edit is gone', async () => {
      await generated.discard({ cluster: lab.contexts.lab, vm: VM, path: KUBEDNS });
      assert.ok(!(await read(uri())).includes('legacy-db'));
      assert.throws(() => statSync(edited), /ENOENT/);
    });
  });
});
