// What the SSH tests share: a lab, configurations with the option under test, and a person who answers as told.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Message } from '../../src/mesh/messages.ts';
import type { HostPrompter, VmHost } from '../../src/mesh/ports.ts';
import { Secret } from '../../src/mesh/secret.ts';
import { openHost, type TrustStore } from '../../src/ssh/index.ts';
import type { Lab } from './env.ts';
import { labEnv } from './env.ts';

export const OWNER = { vm: 'vm-1', cluster: 'lab', era: 'citadel', release: '1.0.3' };

type Question = Parameters<HostPrompter['secret']>[0];
type KeyQuestion = Parameters<HostPrompter['confirmHostKey']>[0];

/** A person: gives the answers in order, then none; remembers every question. */
export class Person implements HostPrompter {
  readonly questions: Question[] = [];
  readonly keyQuestions: KeyQuestion[] = [];
  readonly notes: Message[] = [];
  readonly #answers: string[];
  readonly #acceptKey: boolean;
  /** Called while the host key question is open. */
  readonly #meanwhile: () => Promise<void>;

  constructor({
    answers = [],
    acceptKey = false,
    meanwhile = () => Promise.resolve(),
  }: { answers?: string[]; acceptKey?: boolean; meanwhile?: () => Promise<void> } = {}) {
    this.#answers = [...answers];
    this.#acceptKey = acceptKey;
    this.#meanwhile = meanwhile;
  }

  async confirmHostKey(question: KeyQuestion): Promise<boolean> {
    this.keyQuestions.push(question);
    await this.#meanwhile();
    return this.#acceptKey;
  }

  async secret(question: Question): Promise<Secret | undefined> {
    this.questions.push(question);
    const answer = this.#answers.shift();
    return answer === undefined ? undefined : new Secret(answer);
  }

  note(text: Message): void {
    this.notes.push(text);
  }
}

export class SshTests {
  readonly lab: Lab;
  readonly directory: string;
  readonly #open: VmHost[] = [];
  #configs = 0;

  private constructor(lab: Lab, directory: string) {
    this.lab = lab;
    this.directory = directory;
  }

  /** On the lab of `MESH_LAB`, which the SSH tests share: none may leave anything on a machine. */
  static async start(): Promise<SshTests> {
    return new SshTests(await labEnv(), await mkdtemp(path.join(os.tmpdir(), 'ssh-lab-')));
  }

  async stop(): Promise<void> {
    await this.closeAll();
    await rm(this.directory, { recursive: true, force: true });
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((host) => host.close()));
  }

  /** An ssh_config whose lines come before the lab's, so that they win. */
  async config(...lines: string[]): Promise<string> {
    return this.file(`config-${(this.#configs += 1)}`, `${lines.join('\n')}\nHost *\nInclude "${this.lab.sshConfig}"\n`);
  }

  async file(name: string, text: string): Promise<string> {
    const file = path.join(this.directory, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  async open(
    alias = 'vm-1',
    { lines = [], prompter = new Person(), trustStore }: { lines?: string[]; prompter?: HostPrompter; trustStore?: TrustStore } = {},
  ): Promise<VmHost> {
    const host = await openHost(alias, { configFile: await this.config(...lines), prompter, trustStore });
    this.#open.push(host);
    return host;
  }

  /** Output of a command as root on the machine, past the code under test. */
  async root(machine: string, script: string, ...args: string[]): Promise<string> {
    return (await this.lab.onMachine(machine, ['sh', '-ec', script, 'sh', ...args])).stdout.trim();
  }

  /** How many logins sshd has accepted since the machine booted. */
  async logins(machine: string): Promise<number> {
    return Number(await this.root(machine, 'journalctl -q -b -t sshd -o cat | grep -c "^Accepted" || :'));
  }
}

/** The code of a rejection; fails where the promise is fulfilled. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await errorOf(promise)).code;
}

export interface Refusal {
  readonly code: string;
  readonly kind: string;
  readonly userMessage: Message;
  readonly nextStep?: Message;
}

export async function errorOf(promise: Promise<unknown>): Promise<Refusal> {
  const answer = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in answer)) throw new Error(`was not refused: ${JSON.stringify(answer.value)}`);
  if (typeof answer.error === 'object' && answer.error !== null && 'code' in answer.error && 'userMessage' in answer.error)
    return answer.error as Refusal;
  throw answer.error;
}
