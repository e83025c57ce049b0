import type ssh2 from 'ssh2';
import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, KeyboardInteractiveCallback, Prompt } from 'ssh2';
import type { HostPrompter } from '../mesh/ports.ts';
import type { Secret } from '../mesh/secret.ts';
import { isOn, numberOf, type EffectiveConfig } from './config/effective.ts';
import { preferredMethods } from './config/options.ts';
import { printable } from './errors.ts';
import { Identities } from './identities.ts';

/** Authenticates as OpenSSH does: methods in the configured order, among those that the server still accepts. */
export class Authentication {
  readonly #config: EffectiveConfig;
  readonly #prompter: HostPrompter;
  readonly #identities: Identities;
  readonly #keyRounds: (() => Promise<AnyAuthMethod | undefined>)[];
  readonly #tries: Record<'keyboard-interactive' | 'password', number>;
  /** What the server accepted last, for the error's text. */
  serverAccepts: readonly string[] = [];
  /** True once a person was asked and did not answer: no further question. */
  declined = false;
  /** True while a person is being asked: no time limit then. */
  asking = false;

  private constructor(config: EffectiveConfig, prompter: HostPrompter, identities: Identities) {
    this.#config = config;
    this.#prompter = prompter;
    this.#identities = identities;
    const attempts = numberOf(config, 'numberofpasswordprompts', 3, 1);
    this.#tries = { 'keyboard-interactive': attempts, password: attempts };
    this.#keyRounds = [() => Promise.resolve(this.#allKeys()), ...this.#identities.locked.map((path) => () => this.#lockedKey(path))];
  }

  static async prepare(config: EffectiveConfig, prompter: HostPrompter): Promise<Authentication> {
    const holder: { current?: Authentication } = {};
    const identities = await Identities.load(config, async (path) => holder.current?.ask('passphrase', path, false));
    const authentication = new Authentication(config, prompter, identities);
    holder.current = authentication;
    return authentication;
  }

  readonly handler: AuthHandlerMiddleware = (left: readonly AuthenticationType[] | null, _partial, next) => {
    if (left === null) {
      next('none');
      return;
    }
    this.serverAccepts = left;
    this.#nextMethod(left).then(
      (method) => next(method ?? (false as unknown as AuthenticationType)),
      () => next(false as unknown as AuthenticationType),
    );
  };

  /** Asks the person; a BatchMode configuration asks nobody. */
  async ask(kind: 'passphrase' | 'password' | 'interactive', prompt: string, echo: boolean): Promise<Secret | undefined> {
    if (this.declined || isOn(this.#config, 'batchmode', false)) return undefined;
    this.asking = true;
    try {
      const answer = await this.#prompter.secret({ kind, host: this.#config.alias, prompt: printable(prompt), echo });
      if (answer === undefined) this.declined = true;
      return answer;
    } finally {
      this.asking = false;
    }
  }

  async #nextMethod(left: readonly AuthenticationType[]): Promise<AnyAuthMethod | undefined> {
    for (const method of preferredMethods(this.#config)) {
      if (!left.includes(method)) continue;
      if (method === 'publickey') {
        for (let round = this.#keyRounds.shift(); round !== undefined; round = this.#keyRounds.shift()) {
          const attempt = await round();
          if (attempt !== undefined) return attempt;
        }
      } else if (!this.declined && this.#tries[method] > 0) {
        this.#tries[method] -= 1;
        if (method === 'keyboard-interactive') return { type: method, username: this.#config.user, prompt: this.#answerPrompts };
        const password = await this.ask('password', `${this.#config.user}@${this.#config.hostName}`, false);
        if (password !== undefined)
          return { type: method, username: this.#config.user, password: new TextDecoder().decode(password.reveal()) };
      }
    }
    return undefined;
  }

  #allKeys(): AnyAuthMethod | undefined {
    const agent = this.#identities.agent();
    return agent === undefined ? undefined : { type: 'agent', username: this.#config.user, agent };
  }

  async #lockedKey(path: string): Promise<AnyAuthMethod | undefined> {
    const key = await this.#identities.unlock(path);
    return key === undefined ? undefined : { type: 'publickey', username: this.#config.user, key };
  }

  readonly #answerPrompts = (
    _name: string,
    _instructions: string,
    _language: string,
    prompts: Prompt[],
    finish: KeyboardInteractiveCallback,
  ): void => {
    const answerAll = async (): Promise<string[]> => {
      const answers: string[] = [];
      for (const prompt of prompts) {
        const answer = await this.ask('interactive', prompt.prompt, prompt.echo ?? false);
        answers.push(answer === undefined ? '' : new TextDecoder().decode(answer.reveal()));
      }
      return answers;
    };
    answerAll().then(finish, () => finish(prompts.map(() => '')));
  };
}

/** Level ssh2 gives to errors after which it goes on with the next key. */
export function isPassing(error: ssh2.ClientErrorExtensions & Error): boolean {
  return error.level === 'agent';
}
