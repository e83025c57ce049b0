// Everything on a machine that a leave must bring back, as root sees it, for a comparison of before and after.
import assert from 'node:assert/strict';
import type { Lab } from '../env.ts';

export type Snapshot = Readonly<Record<string, string>>;

// The package database, logs and caches, what the machine renews by itself, and backups that every tool which touches an account writes (passwd-).
const LEFT_OUT = [
  ...['/proc', '/sys', '/dev', '/run', '/var/log', '/var/cache', '/var/lib/dpkg', '/var/lib/apt', '/var/lib/systemd/random-seed'],
  ...[
    '/var/lib/systemd/timers',
    '/var/lib/rpm',
    '/etc/passwd-',
    '/etc/group-',
    '/etc/shadow-',
    '/etc/gshadow-',
    '/etc/subuid-',
    '/etc/subgid-',
  ],
];
const PRUNE = `\\( ${[...LEFT_OUT.map((path) => `-path ${path}`), "-name 'systemd-private-*'"].join(' -o ')} \\) -prune -o`;

// Checksums against accidents: a thirtieth of the work of cryptographic ones.
const PARTS: Readonly<Record<string, string>> = {
  tree: `find / -xdev ${PRUNE} \\( -type d -printf '%y %m %u:%g %p\\n' -o -printf '%y %m %u:%g %s %p %l\\n' \\) | sort -k 4`,
  contents: `find / -xdev ${PRUNE} -type f -print0 | xargs -0 cksum | sort -k 3`,
  run: `find /run -maxdepth 1 ! -name 'lab-*' ! -name user ! -name xtables.lock | sort`,
  // What systemctl calls enabled are links, most of them in the tree. It reads every file for that, a hundred times as long.
  units: `find /run/systemd/system /run/systemd/generator* -printf '%y %p %l\\n' | sort
    systemctl list-units --all --no-legend --no-pager --plain istio\\* mesh-expansion\\*`,
  rules: `for save in iptables-legacy-save iptables-nft-save ip6tables-legacy-save ip6tables-nft-save; do
      echo "$save"; $save 2>/dev/null | grep -e '^-A' -e '^:.*ISTIO' || :; done`,
  network: `ip -o addr show | sed 's/ valid_lft.*//'; ip rule show; ip -6 rule show; ip route show table all | sort; cat /proc/sys/net/ipv4/conf/*/route_localnet`,
  users: 'getent passwd; getent group',
  logs: 'ls -d /var/log/* | grep -v -e /istio -e journal -e /apt -e /dpkg.log || :',
};

export async function snapshotOf(lab: Lab, machine: string): Promise<Snapshot> {
  // sudo leaves a mark of whoever uses it for the first time.
  await lab.ssh(machine, ['sudo', 'true']);
  const parts = await Promise.all(
    Object.entries(PARTS).map(
      async ([what, script]) => [what, (await lab.onMachine(machine, ['sh', '-ec', script])).stdout.trim()] as const,
    ),
  );
  return Object.fromEntries(parts);
}

/** Fails with every line that differs, `-` for what is gone and `+` for what was added. */
export async function expectAsBefore(lab: Lab, machine: string, before: Snapshot): Promise<void> {
  const now = await snapshotOf(lab, machine);
  const changed = Object.entries(now).flatMap(([what, listing]) =>
    difference(before[what] ?? '', listing).map((line) => `${what} ${line}`),
  );
  assert.deepEqual(changed, []);
}

function difference(one: string, other: string): readonly string[] {
  const [a, b] = [one.split('\n'), other.split('\n')];
  const [inA, inB] = [new Set(a), new Set(b)];
  return [
    ...a.filter((line) => !inB.has(line)).map((line) => `- ${line}`),
    ...b.filter((line) => !inA.has(line)).map((line) => `+ ${line}`),
  ];
}
