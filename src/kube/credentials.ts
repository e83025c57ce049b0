import { readFile } from 'node:fs/promises';
import tls from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { HttpMethod, RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';
import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import { ExecCredentials } from './execCredential.ts';
import { isRecord } from './json.ts';
import type { ClusterConfig, UserConfig } from './kubeconfigModel.ts';
import { proxyFromEnvironment } from './proxy.ts';

/** undici's, as client-node makes it: with the cluster's certificates and proxy. */
export type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;

export interface Session {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly dispatcher: Dispatcher;
}

interface Material {
  readonly token?: string;
  readonly certData?: string;
  readonly keyData?: string;
}

/**
 * Who we are to one API server. client-node turns kubeconfig entries into headers and connections; it would make a new connection for every
 * request, so one is kept for as long as token and certificate stay the same. Runs a program only when a session is asked for.
 */
export class Credentials {
  readonly #cluster: ClusterConfig;
  readonly #user: UserConfig;
  readonly #exec: ExecCredentials | undefined;
  /** The proxy in use: the cluster's own, else the environment's. */
  readonly proxy: string | undefined;
  #key: string | undefined;
  #config: KubeConfig | undefined;
  #session: Session | undefined;
  #retired: Promise<unknown> = Promise.resolve();

  constructor(cluster: ClusterConfig, user: UserConfig | undefined, env: Readonly<Record<string, string | undefined>>) {
    this.#cluster = cluster;
    this.#user = user ?? { name: '' };
    this.#exec = this.#user.exec === undefined ? undefined : new ExecCredentials(this.#user.exec, cluster);
    this.proxy = cluster.proxyUrl ?? proxyFromEnvironment(cluster.server, env);
  }

  /** Throws `kube.unauthorized`, or `kube.kubeconfig` where a file that the kubeconfig names cannot be read. */
  async session(signal: AbortSignal): Promise<Session> {
    const material = await this.#material(signal);
    const key = JSON.stringify(material);
    if (this.#session !== undefined && this.#key === key && this.#user.authProvider === undefined) return this.#session;
    if (this.#config === undefined || this.#key !== key) this.#config = this.#kubeConfig(material);
    const context = new RequestContext(this.#cluster.server, HttpMethod.GET);
    await this.#apply(this.#config, context);
    const fresh = context.getDispatcher();
    if (fresh === undefined) throw new TypeError('client-node made no dispatcher');
    const kept = this.#key === key ? this.#session?.dispatcher : undefined;
    if (kept === undefined) this.#retire();
    this.#key = key;
    this.#session = { headers: { ...context.getHeaders(), ...impersonation(this.#user) }, dispatcher: kept ?? fresh };
    return this.#session;
  }

  /** After a 401: true where asking again may give another credential. */
  refresh(): boolean {
    this.#exec?.forget();
    return this.#exec !== undefined || this.#user.tokenFile !== undefined;
  }

  async close(): Promise<void> {
    const dispatcher = this.#session?.dispatcher;
    this.#session = undefined;
    await Promise.all([dispatcher?.destroy(), this.#retired]);
  }

  /** Requests under way on the old connection end in peace. */
  #retire(): void {
    const old = this.#session?.dispatcher;
    if (old !== undefined) this.#retired = Promise.allSettled([this.#retired, old.close()]);
  }

  async #material(signal: AbortSignal): Promise<Material> {
    if (this.#exec !== undefined) {
      const { token, certificate, key } = await this.#exec.get(signal);
      return { token, certData: toBase64(certificate), keyData: toBase64(key) };
    }
    const file = this.#user.tokenFile;
    if (file === undefined) return {};
    // A token that was mounted or is renewed by another program: read each time, trimmed as client-go does.
    return { token: (await readFile(file, 'utf8').catch((error: unknown) => Promise.reject(unreadable(file, error)))).trim() };
  }

  #kubeConfig(material: Material): KubeConfig {
    const { caData, caFile, server, skipTlsVerify, tlsServerName } = this.#cluster;
    const insecure = skipTlsVerify || server.startsWith('http:');
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        {
          name: 'cluster',
          server,
          tlsServerName,
          skipTLSVerify: insecure,
          proxyUrl: this.proxy,
          caFile,
          caData: caData ?? (caFile === undefined && !insecure ? systemAuthorities() : undefined),
        },
      ],
      users: [
        {
          ...this.#user,
          exec: undefined,
          impersonate: undefined,
          authProvider: ownProvider(this.#user.authProvider),
          name: 'user',
          ...material,
          token: material.token ?? this.#user.token,
          certData: material.certData ?? this.#user.certData,
          keyData: material.keyData ?? this.#user.keyData,
        },
      ],
      contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
      currentContext: 'context',
    });
    return config;
  }

  async #apply(config: KubeConfig, context: RequestContext): Promise<void> {
    try {
      await config.applySecurityAuthentication(context);
    } catch (error) {
      const file: unknown = isRecord(error) ? error.path : undefined;
      if (typeof file === 'string') throw unreadable(file, error);
      const text = error instanceof Error ? error.message : String(error);
      throw new MeshError({
        code: 'kube.unauthorized',
        kind: 'person',
        userMessage: message('kube.auth-provider', { user: this.#user.name, text }),
        nextStep: message('kube.unauthorized.next'),
        cause: error,
      });
    }
  }
}

/**
 * A copy, for client-node writes the tokens that it gets into it. 2.0.1 also hands the issuer's text to openid-client, which takes only a URL: no token was ever
 * renewed.
 */
function ownProvider(provider: UserConfig['authProvider']): UserConfig['authProvider'] {
  const config = provider?.config;
  if (!isRecord(config)) return provider;
  const issuer = typeof config['idp-issuer-url'] === 'string' ? URL.parse(config['idp-issuer-url']) : null;
  return { ...provider, config: { ...config, ...(issuer === null ? {} : { 'idp-issuer-url': issuer }) } };
}

function toBase64(pem: string | undefined): string | undefined {
  return pem === undefined ? undefined : Buffer.from(pem).toString('base64');
}

/** Without certificates of its own a kubeconfig means those of the machine, as for kubectl; Node alone would use only its built-in ones. */
function systemAuthorities(): string {
  return Buffer.from([...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])].join('\n')).toString('base64');
}

/** client-node sends `as` alone; the groups and the rest matter to RBAC as much. */
function impersonation({ impersonate }: UserConfig): Readonly<Record<string, string | string[]>> {
  if (impersonate === undefined) return {};
  const { user, groups, uid, extra } = impersonate;
  return {
    'Impersonate-User': user,
    ...(groups.length > 0 && { 'Impersonate-Group': [...groups] }),
    ...(uid !== undefined && { 'Impersonate-Uid': uid }),
    ...Object.fromEntries(Object.entries(extra).map(([key, values]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, [...values]])),
  };
}

function unreadable(file: string, cause: unknown): MeshError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new MeshError({
    code: 'kube.kubeconfig',
    kind: 'bad-input',
    userMessage: message('kube.kubeconfig.read', { file, text }),
    nextStep: message('kube.kubeconfig.next'),
    cause,
  });
}
