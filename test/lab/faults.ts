// Faults a test can make on a lab machine. Each resolves when the fault is in place and gives the function that takes it away again.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './env.ts';
import { tcpAnswers } from './processes.ts';
import { run } from './toolchain/run.ts';

export type Heal = () => Promise<void>;

/** Also after as many starts in a row as systemd allows. */
const RESTART_SSHD = 'systemctl reset-failed ssh; systemctl restart ssh';

/** Pulls the machine's cable: nothing reaches it, nothing leaves it, nobody is told. */
export async function linkDown(lab: Lab, machine: string): Promise<Heal> {
  const { name } = lab.machine(machine);
  await run(['ip', '-n', lab.netns, 'link', 'set', name, 'down']);
  return async () => {
    await run(['ip', '-n', lab.netns, 'link', 'set', name, 'up']);
  };
}

export interface Drop {
  port: number;
  protocol?: 'tcp' | 'udp';
  /** `out`: what the machine sends to that port anywhere; `in`: what is sent to that port of the machine. Default `out`. */
  direction?: 'in' | 'out';
}

/** Drops packets on the way, silently, as a firewall does; the machine's own rules are not touched. */
export async function dropTraffic(lab: Lab, machine: string, drop: Drop): Promise<Heal> {
  const { name, address } = lab.machine(machine);
  const { port, protocol = 'tcp', direction = 'out' } = drop;
  const table = `lab_drop_${name.replace('-', '_')}_${direction}_${protocol}_${port}`;
  const side = direction === 'out' ? 'saddr' : 'daddr';
  const rule = `ip ${side} ${address} ${protocol} dport ${port} counter drop`;
  // Both ways of a connection pass the cluster's namespace: from the machine before kube-proxy's rewriting, to it after.
  const hook = direction === 'out' ? 'prerouting priority raw' : 'postrouting priority filter';
  await nft(lab, `table inet ${table} {\n chain way {\n type filter hook ${hook}; policy accept;\n ${rule}\n }\n}\n`);
  return async () => {
    await nft(lab, `delete table inet ${table}\n`);
  };
}

/** Kills sshd with all its sessions (SIGKILL). systemd starts it again by itself; healing waits for that. */
export async function killSshd(lab: Lab, machine: string): Promise<Heal> {
  await lab.onMachine(machine, ['pkill', '-9', '-x', 'sshd'], { tolerant: true });
  return async () => {
    await onMachineShell(lab, machine, RESTART_SSHD);
    await waitSshd(lab, machine);
  };
}

/** Stops sshd: connections are refused; open sessions stay. */
export async function stopSshd(lab: Lab, machine: string): Promise<Heal> {
  await lab.onMachine(machine, ['systemctl', 'stop', 'ssh']);
  return async () => {
    await onMachineShell(lab, machine, RESTART_SSHD);
    await waitSshd(lab, machine);
  };
}

/** Gives the machine other host keys and ends its sessions, as a machine has that was made anew or took over the address. */
export async function changeHostKey(lab: Lab, machine: string): Promise<Heal> {
  const keep = '/root/.lab-host-keys';
  await onMachineShell(
    lab,
    machine,
    `test ! -e ${keep} && mkdir ${keep} && mv /etc/ssh/ssh_host_* ${keep}/ && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && { ${RESTART_SSHD}; } && { pkill -KILL -f '^sshd: [a-z]' || :; }`,
  );
  await waitSshd(lab, machine);
  return async () => {
    await onMachineShell(lab, machine, `rm -f /etc/ssh/ssh_host_* && mv ${keep}/* /etc/ssh/ && rmdir ${keep} && { ${RESTART_SSHD}; }`);
    await waitSshd(lab, machine);
  };
}

/** Makes the directory a file system of its own with its present content and no free block. */
export async function fillDisk(lab: Lab, machine: string, directory: string): Promise<Heal> {
  const script = `
    set -e
    copy=$(mktemp -d)
    cp -a "$1/." "$copy/"
    size=$(( $(du -sk "$copy" | cut -f1) + 64 ))
    mount -t tmpfs -o "size=\${size}k,mode=$(stat -c %a "$1")" lab-full "$1"
    chown --reference="$copy" "$1"
    cp -a "$copy/." "$1/"
    rm -rf "$copy"
    dd if=/dev/zero of="$1/.lab-full" bs=1k 2>/dev/null || :`;
  await lab.onMachine(machine, ['sh', '-c', script, 'sh', directory]);
  return async () => {
    await lab.onMachine(machine, ['umount', '--lazy', directory]);
  };
}

/** Makes the directory read-only. */
export async function readOnly(lab: Lab, machine: string, directory: string): Promise<Heal> {
  await lab.onMachine(machine, ['sh', '-c', 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"', 'sh', directory]);
  return async () => {
    await lab.onMachine(machine, ['umount', '--lazy', directory]);
  };
}

/** The password that `password` sets for the login user. */
export const SUDO_PASSWORD = 'correct horse 9 $battery';

/** `refused`: the login user is in no sudoers file; `password`: sudo wants SUDO_PASSWORD. */
export async function restrictSudo(lab: Lab, machine: string, how: 'refused' | 'password'): Promise<Heal> {
  const user = lab.sshUser;
  const rule = how === 'refused' ? '' : `${user} ALL=(ALL) ALL\n`;
  await lab.onMachine(
    machine,
    ['sh', '-c', 'umask 0337; cat >/etc/sudoers.d/admin.new && mv -f /etc/sudoers.d/admin.new /etc/sudoers.d/admin'],
    { input: rule },
  );
  if (how === 'password') await lab.onMachine(machine, ['chpasswd'], { input: `${user}:${SUDO_PASSWORD}\n` });
  return async () => {
    await lab.onMachine(
      machine,
      ['sh', '-c', 'umask 0337; cat >/etc/sudoers.d/admin.new && mv -f /etc/sudoers.d/admin.new /etc/sudoers.d/admin'],
      { input: `${user} ALL=(ALL) NOPASSWD:ALL\n` },
    );
    await lab.onMachine(machine, ['passwd', '--quiet', '--lock', user]);
  };
}

/** Reboots the machine and waits until it is back, its services started. */
export async function reboot(lab: Lab, machine: string, limit = 60_000): Promise<void> {
  const before = await bootTime(lab, machine);
  await lab.onMachine(machine, ['systemctl', 'reboot'], { tolerant: true });
  const deadline = Date.now() + limit;
  for (;;) {
    const now = await bootTime(lab, machine);
    if (now && now !== before) break;
    if (Date.now() > deadline) throw new Error(`machine ${machine} is not back ${limit / 1000} s after its reboot`);
    await sleep(200);
  }
  await lab.onMachine(machine, ['systemctl', 'is-system-running', '--wait'], { tolerant: true, timeout: limit });
  await waitSshd(lab, machine);
}

// Start of the machine's process 1, as the kernel counts it: a new one after every boot.
async function bootTime(lab: Lab, machine: string): Promise<string | undefined> {
  const found = await lab
    .onMachine(machine, ['cut', '-d', ' ', '-f', '22', '/proc/1/stat'], { tolerant: true, timeout: 5000 })
    .catch(() => undefined);
  return found?.code === 0 ? found.stdout.trim() : undefined;
}

async function waitSshd(lab: Lab, machine: string, limit = 20_000): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await tcpAnswers(`${lab.machine(machine).address}:22`))) {
    if (Date.now() > deadline) throw new Error(`sshd of ${machine} does not answer`);
    await sleep(100);
  }
}

async function onMachineShell(lab: Lab, machine: string, script: string): Promise<void> {
  await lab.onMachine(machine, ['sh', '-ec', script]);
}

async function nft(lab: Lab, rules: string): Promise<void> {
  await lab.inCluster(['nft', '-f', '-'], { input: rules });
}
