// A folder that is not trusted, made to run programs as soon as its settings or its inventory are used. No lab: nothing that it names is there.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packExtension } from '../../scripts/package.mjs';
import { screenshots } from './drive.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const kubeconfig = (context: string, user: object): string =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': context },
    clusters: [{ name: context, cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: context, user }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  });

describe('a folder that is not trusted', function () {
  this.timeout(300_000);
  let workbench: Workbench | undefined;
  let root: string;
  const ran = (): string[] => ['exec-plugin', 'match-exec'].filter((name) => existsSync(path.join(root, name)));

  before(async () => {
    root = mkdtempSync(path.join(os.tmpdir(), 'mesh-untrusted-'));
    const folder = path.join(root, 'downloaded');
    mkdirSync(path.join(folder, '.vscode'), { recursive: true });
    const write = (name: string, text: string): string => {
      writeFileSync(path.join(root, name), text);
      return path.join(root, name);
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'touch',
      args: [path.join(root, 'exec-plugin')],
      interactiveMode: 'Never',
    };
    const settings = {
      'meshExpansion.kubeconfig': [write('downloaded/kubeconfig', kubeconfig('theirs', { exec }))],
      'meshExpansion.sshConfig': write(
        'downloaded/ssh_config',
        `Match exec "touch ${path.join(root, 'match-exec')}"\n  User root\nHost their-vm\n  HostName 127.0.0.1\n  Port 1\n`,
      ),
      'meshExpansion.contexts': { prod: 'theirs' },
    };
    write('downloaded/.vscode/settings.json', JSON.stringify(settings));
    write(
      'downloaded/mesh-expansion.yaml',
      'version: 1\nclusters: [{ name: prod, context: theirs, istio: { release: 1.31.0 } }]\nvms: [{ name: their-vm, cluster: prod, namespace: vm, workloadGroup: db }]\n',
    );
    const env = { KUBECONFIG: write('kubeconfig', kubeconfig('mine', { token: 'none' })) };
    workbench = await startWorkbench({ folder, env, untrusted: true, vsix: await packExtension({ reuse: true }) });
  });

  after(async () => {
    await workbench?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('shows the own clusters alone, says why, and runs nothing that the folder names', async () => {
    assert.ok(workbench);
    await workbench.openContainer('Mesh Expansion');
    await workbench.widenSideBar(110);
    await workbench.treeItem(/^Folder not trusted/).waitFor();
    await workbench.treeItem(/^mine\b/).waitFor();
    await workbench.expand(/^mine\b/);
    await workbench
      .treeItem(/127\.0\.0\.1/)
      .first()
      .waitFor();
    await workbench.command('Mesh Expansion: Refresh');
    assert.doesNotMatch((await workbench.treeTexts()).join('\n'), /theirs|prod|their-vm/);
    // What changes something is not in the palette.
    await workbench.page.keyboard.press('F1');
    await workbench.page.locator('.quick-input-widget input.input').fill('>Mesh Expansion: ');
    const offered = workbench.page.locator('.quick-input-list [role="option"]');
    await offered.filter({ hasText: 'Mesh Expansion: Manage Workspace Trust' }).waitFor();
    assert.doesNotMatch((await offered.allInnerTexts()).join('\n'), /Join VM|Set Up Cluster|Push|Check/);
    await workbench.page.keyboard.press('Escape');
    await workbench.hoverItem(/^Folder not trusted/);
    mkdirSync(screenshots, { recursive: true });
    await workbench.screenshot(path.join(screenshots, 'untrusted-folder.png'));
    assert.deepEqual(ran(), []);
  });

  it('is one click away from the page that trusts it; what it names is used from then on', async () => {
    assert.ok(workbench);
    await workbench.treeItem(/^Folder not trusted/).click();
    await workbench.page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).click();
    await workbench.treeItem(/^prod\b/).waitFor();
    const page = workbench.page.locator('.workspace-trust-editor');
    await page.focus();
    await workbench.page.keyboard.press('Escape');
    await page.waitFor({ state: 'hidden' });
    assert.equal(await workbench.treeItem(/^Folder not trusted/).count(), 0);
    await workbench.expand(/^prod\b/);
    await workbench
      .treeItem(/their-vm/)
      .first()
      .waitFor();
    // The same folder, trusted: what would have run before, had it been used.
    for (let left = 300; ran().length < 2 && left > 0; left--) await workbench.page.waitForTimeout(200);
    assert.deepEqual(ran(), ['exec-plugin', 'match-exec']);
  });
});
