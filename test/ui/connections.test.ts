// Clusters and machines that do not let one in at once: what the tree says, what is asked, and what a person does about it. The API server and the machines are the lab's.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { parse, stringify } from 'yaml';
import { packExtension } from '../../scripts/package.mjs';
import type { Lab } from '../lab/env.ts';
import { changeHostKey, restrictSudo, SUDO_PASSWORD, type Heal } from '../lab/faults.ts';
import { run } from '../lab/toolchain/run.ts';
import { commandLine } from './commandLine.ts';
import { driveSteps, otherScreenshots, type DrivenStep } from './drive.ts';
import { labPlace } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const LONG_MS = 60_000;
const CODE = '4711';
const PASSPHRASE = 'a long $phrase';

interface Kubeconfig {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: { name: string; context: Record<string, unknown> }[];
}

/** Accepts and says nothing, until `target` is set: then it passes every connection on. */
class Middle {
  target: net.NetConnectOpts | undefined;
  readonly #open = new Set<net.Socket>();
  readonly #server = net.createServer((near) => {
    this.#open.add(near);
    near.on('error', () => undefined);
    if (this.target === undefined) return;
    const far = net.connect(this.target);
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}

describe('clusters and machines that do not let one in at once, on the lab', function () {
  this.timeout(180_000);
  let workbench: Workbench | undefined;
  let lab: Lab;
  let directory: string;
  let earlier: number;
  const middle = new Middle();
  const heals: Heal[] = [];

  /** A program behind a token, as kubelogin is: it asks where it can, and has only an old token where it cannot. */
  const writeLogin = async (): Promise<string> => {
    const file = path.join(directory, 'login');
    const token = (await lab.kubectl(['create', 'token', '-n', 'vm', 'default'])).stdout.trim();
    const answer = (value: string) =>
      JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: value } });
    const signedIn = path.join(directory, 'signed-in');
    writeFileSync(
      file,
      `#!/bin/sh
if [ -t 0 ]; then
  printf 'Code: ' >&2
  read -r code
  if [ "$code" = ${CODE} ]; then : >'${signedIn}'; fi
fi
if [ -e '${signedIn}' ]; then echo '${answer(token)}'; else echo '${answer('expired')}'; fi
`,
    );
    chmodSync(file, 0o755);
    return file;
  };
  const writeKubeconfig = async (): Promise<string> => {
    const config = parse(readFileSync(lab.kubeconfig, 'utf8')) as Kubeconfig;
    const cluster = config.clusters[0]?.cluster ?? {};
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: await writeLogin(), interactiveMode: 'IfAvailable' };
    const server = `https://127.0.0.1:${await middle.listen()}`;
    config.clusters.push({ name: 'behind-vpn', cluster: { ...cluster, server, 'tls-server-name': 'kubernetes.default.svc' } });
    config.users.push({ name: 'sso', user: { exec } });
    config.contexts = [
      { name: 'lab', context: { cluster: 'lab', user: 'lab-admin' } },
      { name: 'sso', context: { cluster: 'lab', user: 'sso' } },
      { name: 'behind-vpn', context: { cluster: 'behind-vpn', user: 'lab-admin' } },
    ];
    const file = path.join(directory, 'kubeconfig');
    writeFileSync(file, stringify(config), { mode: 0o600 });
    return file;
  };
  const writeSshConfig = async (): Promise<string> => {
    const locked = path.join(directory, 'locked');
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', PASSPHRASE, '-C', 'mesh-locked', '-f', locked]);
    await lab.onMachine('vm-1', ['sh', '-c', 'cat >>/home/admin/.ssh/authorized_keys'], { input: readFileSync(`${locked}.pub`) });
    const host = (alias: string, vm: string, ...lines: string[]) =>
      [`Host ${alias}`, `HostName ${lab.machine(vm).address}`, ...lines].join('\n  ');
    const key = `IdentityFile "${lab.sshKey}"`;
    const file = path.join(directory, 'ssh_config');
    writeFileSync(
      file,
      [
        host('vm-2', 'vm-2', key, `UserKnownHostsFile "${path.join(directory, 'known')}"`),
        host('locked', 'vm-1', `IdentityFile "${locked}"`),
        host('typed', 'vm-1', 'PreferredAuthentications password'),
        `Host *\n  User ${lab.sshUser}\n  IdentitiesOnly yes\n  UserKnownHostsFile "${lab.knownHosts}"\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking ask\n`,
      ].join('\n'),
    );
    return file;
  };
  const fingerprint = async (vm: string): Promise<string> =>
    (await lab.onMachine(vm, ['ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub'])).stdout.split(' ')[1] ?? '';
  const logins = async (vm: string): Promise<number> =>
    Number((await lab.onMachine(vm, ['sh', '-c', 'journalctl -q -b -t sshd -o cat | grep -c "^Accepted" || :'])).stdout);
  const dialog = (shown: Workbench) => shown.page.locator('.monaco-dialog-box');
  const question = (shown: Workbench, title: string) =>
    shown.page.locator('.quick-input-widget', { hasText: title }).locator('input[type="password"]:visible');
  /** Opens a row and presses Enter on the error below it. */
  const retry = async (shown: Workbench, row: RegExp, error: RegExp): Promise<void> => {
    await shown.expand(row);
    await shown.focusRow(error);
    await shown.page.keyboard.press('Enter');
  };

  before(async () => {
    const prepared = await labPlace();
    ({ lab } = prepared);
    directory = path.dirname(prepared.folder);
    await commandLine(lab, prepared.folder, 'cluster', 'setup', '--cluster', 'lab');
    heals.push(await restrictSudo(lab, 'vm-1', 'password'));
    const [kubeconfig, sshConfig] = [await writeKubeconfig(), await writeSshConfig()];
    const vm = (name: string) => ({ name, cluster: 'lab', namespace: 'vm' });
    writeFileSync(
      path.join(prepared.folder, 'mesh-expansion.yaml'),
      stringify({ version: 1, clusters: [{ context: 'lab' }], vms: ['vm-2', 'locked', 'typed'].map(vm) }),
    );
    earlier = await logins('vm-2');
    workbench = await startWorkbench({
      ...prepared.options,
      settings: { 'meshExpansion.kubeconfig': [kubeconfig], 'meshExpansion.sshConfig': sshConfig },
      env: { PATH: `${path.dirname(lab.kubectlBinary)}:${process.env.PATH ?? ''}` },
      vsix: await packExtension({ reuse: true }),
    });
  });

  after(async () => {
    await workbench?.close();
    middle.close();
    for (const heal of heals) await heal();
    await lab.onMachine('vm-1', ['sed', '-i', '/mesh-locked$/d', '/home/admin/.ssh/authorized_keys']);
  });

  const steps: readonly DrivenStep[] = [
    {
      name: 'connections-01-silent-and-refused',
      async run(shown) {
        await shown.openContainer('Mesh Expansion');
        await shown.widenSideBar(110);
        for (const cluster of ['behind-vpn', 'sso', 'lab']) await shown.expand(new RegExp(`^${cluster}\\b`));
        await shown.treeItem(/did not answer.*error/).waitFor({ timeout: LONG_MS });
        await shown.treeItem(/does not accept the credentials.*needs a person/).waitFor({ timeout: LONG_MS });
        for (const vm of ['vm-2', 'locked', 'typed'])
          await shown.treeItem(new RegExp(`^${vm}, needs a person`, 'i')).waitFor({ timeout: LONG_MS });
        // Nothing that the tree reads by itself asks.
        assert.equal(await dialog(shown).count(), 0);
      },
    },
    {
      name: 'connections-02-log',
      async run(shown) {
        await shown.inlineAction(/did not answer/, 'Show Log');
        await shown.page.locator('.panel .view-line', { hasText: 'behind-vpn' }).first().waitFor();
      },
    },
    {
      name: 'connections-03-answers-again',
      async run(shown) {
        middle.target = { host: lab.addresses.apiServer, port: 6443 };
        await shown.inlineAction(/did not answer/, 'Retry');
        await shown.treeItem(/^behind-vpn, Istio 1\.0\.3/).waitFor({ timeout: LONG_MS });
        assert.equal(await shown.treeItem(/did not answer/).count(), 0);
      },
    },
    {
      name: 'connections-04-sign-in',
      async run(shown) {
        await shown.inlineAction(/does not accept the credentials/, 'Sign In');
        await shown.waitForTerminal('Code: ');
      },
    },
    {
      name: 'connections-05-signed-in',
      async run(shown) {
        await shown.page.keyboard.type(`${CODE}\n`, { delay: 5 });
        // The account of a namespace may read little; it is the cluster that says so now.
        await shown.treeItem(/does not accept the credentials/).waitFor({ state: 'hidden', timeout: LONG_MS });
      },
    },
    {
      name: 'connections-06-unknown-key',
      async run(shown) {
        await retry(shown, /^vm-2\b/, /^Connect….*Compare the fingerprint/);
        await dialog(shown).waitFor();
        assert.match(await dialog(shown).innerText(), new RegExp((await fingerprint('vm-2')).replaceAll(/[+/.]/g, '\\$&')));
      },
      holds: async () => assert.equal(await logins('vm-2'), earlier),
    },
    {
      name: 'connections-07-key-refused',
      async run(shown) {
        await shown.page.keyboard.press('Escape');
        await dialog(shown).waitFor({ state: 'hidden' });
        await shown.treeItem(/^vm-2, needs a person, host key not known/).waitFor();
      },
      holds: async () => assert.equal(await logins('vm-2'), earlier),
    },
    {
      name: 'connections-08-key-accepted',
      async run(shown) {
        await retry(shown, /^vm-2\b/, /^Connect….*Compare the fingerprint/);
        await shown.dialogButton('Trust and Connect');
        await shown.treeItem(/^vm-2, not joined/i).waitFor({ timeout: LONG_MS });
      },
      holds: async () => assert.equal(await logins('vm-2'), earlier + 1),
    },
    {
      name: 'connections-09-passphrase',
      async run(shown) {
        await retry(shown, /^locked\b/, /^Connect….*`ssh locked`/);
        await question(shown, 'Passphrase of the key for locked').waitFor();
      },
    },
    {
      name: 'connections-10-sudo-password',
      async run(shown) {
        await shown.answer(PASSPHRASE);
        await question(shown, 'sudo password on locked').waitFor({ timeout: LONG_MS });
      },
    },
    {
      name: 'connections-11-password',
      async run(shown) {
        await shown.answer(SUDO_PASSWORD);
        await shown.treeItem(/^locked, not joined/i).waitFor({ timeout: LONG_MS });
        await retry(shown, /^typed\b/, /^Connect….*`ssh typed`/);
        await question(shown, 'Password for typed').waitFor();
      },
    },
    {
      name: 'connections-12-let-in',
      async run(shown) {
        await shown.answer('wrong');
        await shown.page.locator('.quick-input-widget input[type="password"]').waitFor({ state: 'hidden' });
        await question(shown, 'Password for typed').waitFor({ timeout: LONG_MS });
        await shown.answer(SUDO_PASSWORD);
        await shown
          .treeItem(/^typed, not joined/i)
          .or(question(shown, 'sudo password on typed'))
          .first()
          .waitFor({ timeout: LONG_MS });
        if ((await question(shown, 'sudo password on typed').count()) > 0) await shown.answer(SUDO_PASSWORD);
        await shown.treeItem(/^typed, not joined/i).waitFor({ timeout: LONG_MS });
        const log = shown.extensionLog(1_000_000);
        assert.ok(!log.includes(SUDO_PASSWORD) && !log.includes(PASSPHRASE));
      },
    },
    {
      name: 'connections-13-key-changed',
      async run(shown) {
        heals.push(await changeHostKey(lab, 'vm-2'));
        await shown.contextMenu(/^vm-2\b/, 'Refresh');
        await shown.treeItem(/^vm-2, needs a person, host key has changed/).waitFor({ timeout: LONG_MS });
        const before = await logins('vm-2');
        await retry(shown, /^vm-2\b/, /replaced/);
        await shown.page.waitForTimeout(1500);
        assert.equal(await dialog(shown).count(), 0);
        assert.equal(await logins('vm-2'), before);
      },
    },
    {
      name: 'connections-14-key-forgotten',
      async run(shown) {
        await shown.command('Mesh Expansion: Forget Host Key');
        const rows = await shown.pickRows();
        assert.deepEqual(
          rows.map((row) => row.replaceAll(' ', '')),
          [`${lab.machine('vm-2').address}ssh-ed25519`],
        );
        for (const key of ['ArrowDown', 'Space', 'Enter']) await shown.page.keyboard.press(key);
        await shown.waitForNotification(`Forgotten: ${lab.machine('vm-2').address}`);
        await retry(shown, /^vm-2\b/, /replaced/);
        assert.match(await dialog(shown).innerText(), new RegExp((await fingerprint('vm-2')).replaceAll(/[+/.]/g, '\\$&')));
        await shown.dialogButton('Trust and Connect');
        await shown.treeItem(/^vm-2, not joined/i).waitFor({ timeout: LONG_MS });
      },
    },
  ];
  driveSteps(steps, () => workbench, otherScreenshots);
});
