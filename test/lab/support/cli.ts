// The command line as a person runs it, and what kubectl and a root shell on the machine say of the outcome.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../env.ts';
import { istiodLab, labEnv } from '../env.ts';
import type { IstioKind } from '../record.ts';

/** The program as it is installed; the build makes it. */
const program = path.resolve(import.meta.dirname, '../../../dist/cli.cjs');

/** One target's part of the document of `--json`. */
export interface CliTarget {
  readonly vm?: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly code: number;
  readonly error?: { readonly code: string; readonly message: string; readonly nextStep?: string };
  readonly [more: string]: unknown;
}

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The results of the document that `--json` printed; throws where there is none. */
  results(): readonly CliTarget[];
  /** The error code of the whole run, or of its only target. */
  errorCode(): string | undefined;
}

export interface CliOptions {
  readonly sshConfig?: string;
  readonly kubeconfig?: string;
  /** Called with what came on stderr so far; what it gives is sent as a signal, once. */
  readonly signalOn?: (stderr: string) => NodeJS.Signals | undefined;
  readonly limitMs?: number;
}

interface LiveList {
  /** `ServiceList`. */
  kind: string;
  items: readonly { metadata: { namespace?: string; name: string; resourceVersion: string } }[];
}

/** A folder with an inventory, and the program run in it without a terminal. */
export class CliBench {
  readonly lab: Lab;
  readonly folder: string;

  private constructor(lab: Lab, folder: string) {
    this.lab = lab;
    this.folder = folder;
  }

  /** On the lab of that kind that the environment names. */
  static async start(inventory: string, istio: IstioKind = 'citadel'): Promise<CliBench> {
    const lab = await (istio === 'istiod' ? istiodLab() : labEnv());
    const bench = new CliBench(lab, await mkdtemp(path.join(tmpdir(), 'mesh-expansion-lab-')));
    await bench.write('mesh-expansion.yaml', inventory);
    await bench.#settled();
    return bench;
  }

  /** Citadel still writes secrets, and istiod its root, when a lab is up; comparisons begin when nothing moves any more. */
  async #settled(): Promise<void> {
    const written = this.lab.istio === 'istiod' ? 'ConfigMap vm/istio-ca-root-cert=' : 'Secret vm/istio.default=';
    const end = Date.now() + 60_000;
    for (let [quiet, last] = [0, '']; quiet < 4 && Date.now() < end;) {
      const state = await this.clusterState();
      quiet = state === last && state.includes(written) ? quiet + 1 : 0;
      last = state;
      await sleep(500);
    }
  }

  async stop(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  at(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  write(file: string, text: string): Promise<void> {
    return writeFile(this.at(file), text);
  }

  get packageUrl(): string {
    return `http://${this.lab.addresses.router}:8000/1.0.3/deb/istio-sidecar.deb`;
  }

  async cli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    const { sshConfig = this.lab.sshConfig, kubeconfig = this.lab.kubeconfig, signalOn, limitMs = 180_000 } = options;
    const env = this.#environment(kubeconfig);
    const child = spawn(process.execPath, [program, ...args, '--ssh-config', sshConfig], {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err, signalled] = ['', '', false];
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
      const signal = signalled ? undefined : signalOn?.(err);
      if (signal === undefined) return;
      signalled = true;
      child.kill(signal);
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const code = await new Promise<number>((resolve) => child.on('close', (exitCode) => resolve(exitCode ?? 137)));
    clearTimeout(limit);
    const document = (): { results: CliTarget[]; error?: { code: string } } =>
      JSON.parse(out) as { results: CliTarget[]; error?: { code: string } };
    return {
      code,
      out,
      err,
      results: () => document().results,
      errorCode: () => document().error?.code ?? document().results[0]?.error?.code,
    };
  }

  /** The program on a terminal (script(1) makes one); each question that appears is given its answer. `out` is all that the terminal showed. */
  async terminal(
    args: readonly string[],
    answers: readonly (readonly [question: RegExp, answer: string])[],
    sshConfig = this.lab.sshConfig,
  ): Promise<{ readonly code: number; readonly out: string }> {
    const words = [process.execPath, program, ...args, '--ssh-config', sshConfig].map(
      (word) => `'${word.replaceAll("'", String.raw`'\''`)}'`,
    );
    const env = { ...this.#environment(this.lab.kubeconfig), TERM: 'dumb' };
    const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], { cwd: this.folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const waiting = [...answers];
    let out = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      const [next] = waiting;
      if (next?.[0].test(out) !== true) return;
      waiting.shift();
      child.stdin.write(`${next[1]}\r`);
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const code = await new Promise<number>((resolve) => child.on('close', (exitCode) => resolve(exitCode ?? 137)));
    clearTimeout(limit);
    return { code, out };
  }

  #environment(kubeconfig: string): NodeJS.ProcessEnv {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    return { PATH, NODE_COMPILE_CACHE, HOME: this.folder, XDG_STATE_HOME: this.at('state'), KUBECONFIG: kubeconfig, LANG: 'C' };
  }

  /** `name=resourceVersion` of everything that a command could touch in the cluster. */
  async clusterState(): Promise<string> {
    const core = ['services', 'endpoints', 'secrets', 'configmaps', 'serviceaccounts', 'namespaces'].map((kind) => `/api/v1/${kind}`);
    const istio = ['gateways', 'virtualservices', 'workloadgroups', 'serviceentries'].map((kind) => `/apis/networking.istio.io/v1/${kind}`);
    const lists = (await Promise.all([...core, ...(this.lab.istio === 'istiod' ? istio : [])].map(this.lab.read))) as LiveList[];
    return lists
      .flatMap(({ kind, items }) =>
        items.map(({ metadata: { namespace, name, resourceVersion } }) => {
          return `${kind.replace(/List$/, '')} ${namespace ?? ''}/${name}=${resourceVersion}\n`;
        }),
      )
      .join('');
  }

  /** Runs a script as root on the machine, past sshd. */
  async root(machine: string, script: string): Promise<string> {
    return (await this.lab.onMachine(machine, ['bash', '-c', script], { timeout: 60_000 })).stdout;
  }

  /** What is on the machine but for logs, caches and the package database: paths, modes, owners, contents, accounts, units, capture rules. */
  machineState(machine: string): Promise<string> {
    return this.root(machine, MACHINE_STATE);
  }

  /** Inode and time of every file that a join writes or a package brings, and when each unit started. */
  async touchState(machine: string): Promise<string> {
    return this.root(
      machine,
      `find /etc /var/lib/istio /var/lib/mesh-expansion /usr/local /lib/systemd/system -xdev ! -name lock -printf '%p %i %T@ %C@ %m %u\\n' | sort
       systemctl show -p Id,InvocationID,ActiveEnterTimestampMonotonic,NRestarts istio istio-auth-node-agent dnsmasq`,
    );
  }
}

// Accounts' backup files (passwd-) are left out: every tool that touches an account writes them. So are the kernel's empty rule tables.
const MACHINE_STATE = `
skip='( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/systemd )'
set -f
find / -xdev $skip -prune -o ! -name '*-' -printf '%p %y %m %u %g %l\\n' | sort
set +f
find /etc /home /root /usr/local /var/lib/istio /var/lib/mesh-expansion -xdev -type f ! -name '*-' 2>/dev/null | sort | xargs -d '\\n' sha256sum
for save in iptables-save ip6tables-save; do $save 2>/dev/null | grep -E '^(-|:[A-Z_]*ISTIO)' || :; done
systemctl list-units --all --plain --no-legend --type=service --state=active,failed | awk '{print $1,$2,$3,$4}' | grep -vE '^(user@|user-runtime-dir@|apt-daily|dpkg-db-backup|e2scrub|logrotate|fstrim|systemd-tmpfiles-clean|man-db)'
find /run/systemd/system /run/systemd/generator* -printf '%p %y %l\\n' | sort
getent passwd; getent group
`;
