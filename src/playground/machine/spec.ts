import type { Machine } from './machine.ts';

/** Programs that every machine has. */
export const BASE_PROGRAMS: readonly string[] = [
  ...[
    'sh',
    'bash',
    'cat',
    'openssl',
    'systemctl',
    'journalctl',
    'dpkg',
    'dpkg-query',
    'apt-get',
    'getent',
    'hostname',
    'dhclient',
    'ls',
    'stat',
    'id',
  ],
  ...['date', 'tail', 'runuser', 'timeout', 'true', 'env', 'cp', 'rm', 'sed', 'chown'],
];

/** A program of the machine's own that the mesh is there for: it answers on its ports while its unit runs. */
export interface Application {
  readonly name: string;
  readonly ports: readonly number[];
  answer(machine: Machine, url: URL, headers: Readonly<Record<string, string>>): { readonly status: number; readonly body: string };
}

export interface MachineSpec {
  readonly name: string;
  readonly address: string;
  readonly debian: string;
  /** Packages of the distribution that are there from the start. */
  readonly tools: readonly string[];
  readonly application?: Application;
}
