import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { MeshError } from '../mesh/errors.ts';
import { message, type Message } from '../mesh/messages.ts';
import { isRecord, type JsonRecord } from './json.ts';
import type { ClusterConfig, ExecConfig, Kubeconfig, UserConfig } from './kubeconfigModel.ts';
import { yamlProblem } from './yamlProblem.ts';

/** `kube.kubeconfig`: bad input that names the field. */
export function badKubeconfig(userMessage: Message, field?: string, cause?: unknown): MeshError {
  return new MeshError({
    code: 'kube.kubeconfig',
    kind: 'bad-input',
    userMessage,
    nextStep: message('kube.kubeconfig.next'),
    field,
    cause,
  });
}

/** One file's entries. Throws `kube.kubeconfig` naming the file, the field and the rule. */
export function parseKubeconfig(file: string, text: string): Omit<Kubeconfig, 'files'> {
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) throw badKubeconfig(message('kube.kubeconfig.yaml', { file, text: yamlProblem(problem, lines) }));
  const root: unknown = document.toJS();
  const reader = new KubeconfigReader(file);
  const top = root === null || root === undefined ? {} : reader.map(root, '(top)');
  return {
    currentContext: reader.text(top, 'current-context', ''),
    clusters: reader.named(top, 'clusters', 'cluster', (body, name, at) => reader.cluster(body, name, at)),
    users: reader.named(top, 'users', 'user', (body, name, at) => reader.user(body, name, at)),
    contexts: reader.named(top, 'contexts', 'context', (body, name, at) => ({
      name,
      cluster: reader.required(body, 'cluster', at),
      user: reader.text(body, 'user', at),
      namespace: reader.text(body, 'namespace', at),
    })),
  };
}

/** Reads one file's entries; each complaint names file, field and rule. */
class KubeconfigReader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  #complain(rule: 'text' | 'list' | 'map' | 'missing' | 'url', field: string): MeshError {
    return badKubeconfig(message(`kube.kubeconfig.${rule}`, { file: this.#file, field }), field);
  }

  map(value: unknown, field: string): JsonRecord {
    if (!isRecord(value)) throw this.#complain('map', field);
    return value;
  }

  list(parent: JsonRecord, key: string, at: string): readonly unknown[] {
    const value = parent[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.#complain('list', join(at, key));
    return value;
  }

  text(parent: JsonRecord, key: string, at: string): string | undefined {
    const value = parent[key];
    // client-go writes and reads an empty text as none.
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw this.#complain('text', join(at, key));
    return value;
  }

  required(parent: JsonRecord, key: string, at: string): string {
    const value = this.text(parent, key, at);
    if (value === undefined) throw this.#complain('missing', join(at, key));
    return value;
  }

  texts(parent: JsonRecord, key: string, at: string): readonly string[] {
    return this.list(parent, key, at).map((value, index) => {
      if (typeof value !== 'string') throw this.#complain('text', `${join(at, key)}[${index}]`);
      return value;
    });
  }

  named<T>(top: JsonRecord, key: string, inner: string, read: (body: JsonRecord, name: string, at: string) => T): ReadonlyMap<string, T> {
    const entries = new Map<string, T>();
    for (const [index, value] of this.list(top, key, '').entries()) {
      const at = `${key}[${index}]`;
      const entry = this.map(value, at);
      const name = this.required(entry, 'name', at);
      if (entries.has(name))
        throw badKubeconfig(message('kube.kubeconfig.duplicate', { file: this.#file, field: `${at}.name`, name }), `${at}.name`);
      const body = entry[inner] ?? {};
      entries.set(name, read(this.map(body, `${at}.${inner}`), name, `${at}.${inner}`));
    }
    return entries;
  }

  /** File names in a kubeconfig are relative to the folder of that kubeconfig. */
  path(parent: JsonRecord, key: string, at: string): string | undefined {
    const value = this.text(parent, key, at);
    return value === undefined ? undefined : path.resolve(path.dirname(this.#file), value);
  }

  cluster(body: JsonRecord, name: string, at: string): ClusterConfig {
    const server = this.required(body, 'server', at).replace(/\/+$/, '');
    if (!/^https?:\/\//.test(server) || !URL.canParse(server)) throw this.#complain('url', join(at, 'server'));
    return {
      name,
      server,
      caData: this.text(body, 'certificate-authority-data', at),
      caFile: this.path(body, 'certificate-authority', at),
      skipTlsVerify: body['insecure-skip-tls-verify'] === true,
      tlsServerName: this.text(body, 'tls-server-name', at),
      proxyUrl: this.text(body, 'proxy-url', at),
    };
  }

  user(body: JsonRecord, name: string, at: string): UserConfig {
    const impersonated = this.text(body, 'as', at);
    const extra = body['as-user-extra'] === undefined ? {} : this.map(body['as-user-extra'], join(at, 'as-user-extra'));
    return {
      name,
      certData: this.text(body, 'client-certificate-data', at),
      certFile: this.path(body, 'client-certificate', at),
      keyData: this.text(body, 'client-key-data', at),
      keyFile: this.path(body, 'client-key', at),
      token: this.text(body, 'token', at),
      tokenFile: this.path(body, 'tokenFile', at),
      username: this.text(body, 'username', at),
      password: this.text(body, 'password', at),
      exec: body.exec === undefined || body.exec === null ? undefined : this.exec(this.map(body.exec, join(at, 'exec')), join(at, 'exec')),
      authProvider:
        body['auth-provider'] === undefined || body['auth-provider'] === null
          ? undefined
          : this.map(body['auth-provider'], join(at, 'auth-provider')),
      impersonate:
        impersonated === undefined
          ? undefined
          : {
              user: impersonated,
              groups: this.texts(body, 'as-groups', at),
              uid: this.text(body, 'as-uid', at),
              extra: Object.fromEntries(Object.keys(extra).map((key) => [key, this.texts(extra, key, join(at, 'as-user-extra'))])),
            },
    };
  }

  exec(body: JsonRecord, at: string): ExecConfig {
    const command = this.required(body, 'command', at);
    return {
      // A command with a path separator is relative to the kubeconfig, a bare name is looked up on PATH (client-go, ResolveLocalPaths).
      command: /[/\\]/.test(command) ? path.resolve(path.dirname(this.#file), command) : command,
      args: this.texts(body, 'args', at),
      env: this.list(body, 'env', at).map((value, index) => {
        const entry = this.map(value, `${at}.env[${index}]`);
        return { name: this.required(entry, 'name', `${at}.env[${index}]`), value: this.text(entry, 'value', `${at}.env[${index}]`) ?? '' };
      }),
      apiVersion: this.text(body, 'apiVersion', at) ?? 'client.authentication.k8s.io/v1beta1',
      installHint: this.text(body, 'installHint', at),
      provideClusterInfo: body.provideClusterInfo === true,
    };
  }
}

function join(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`;
}
