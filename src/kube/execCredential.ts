import { execFile } from 'node:child_process';
import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import { orAborted } from './abort.ts';
import { isRecord, parseJson, recordAt, textAt } from './json.ts';
import type { ClusterConfig, ExecConfig } from './kubeconfigModel.ts';

/** Long enough for a login page in a browser. */
const PROGRAM_LIMIT_MS = 120_000;

export interface ExecCredential {
  readonly token?: string;
  /** PEM. */
  readonly certificate?: string;
  readonly key?: string;
  /** Milliseconds since the epoch; undefined: until the API server refuses it. */
  readonly expires?: number;
}

/**
 * Credentials from a program (EKS, GKE, kubelogin), one run per token however many requests wait for it. client-node's own ExecAuth leaves out
 * KUBERNETES_EXEC_INFO, runs once per parallel request, cannot be cancelled and keeps a token that the server has refused.
 */
export class ExecCredentials {
  readonly #config: ExecConfig;
  readonly #cluster: ClusterConfig;
  #current: ExecCredential | undefined;
  #running: { readonly result: Promise<ExecCredential>; readonly controller: AbortController; waiting: number } | undefined;

  constructor(config: ExecConfig, cluster: ClusterConfig) {
    this.#config = config;
    this.#cluster = cluster;
  }

  /** The kept credential, else a run of the program; the program is ended when nobody waits for it any more. Throws `kube.unauthorized`. */
  async get(signal: AbortSignal): Promise<ExecCredential> {
    signal.throwIfAborted();
    const kept = this.#current;
    if (kept !== undefined && (kept.expires === undefined || kept.expires > Date.now())) return kept;
    this.#running ??= this.#start();
    const run = this.#running;
    run.waiting += 1;
    try {
      return await orAborted(run.result, signal);
    } finally {
      run.waiting -= 1;
      if (run.waiting === 0) {
        run.controller.abort();
        if (this.#running === run) this.#running = undefined;
      }
    }
  }

  /** Forgets a credential that the API server refused. */
  forget(): void {
    this.#current = undefined;
  }

  #start(): { result: Promise<ExecCredential>; controller: AbortController; waiting: number } {
    const controller = new AbortController();
    const result = runProgram(this.#config, this.#cluster, controller.signal).then((credential) => (this.#current = credential));
    return { result, controller, waiting: 0 };
  }
}

async function runProgram(config: ExecConfig, cluster: ClusterConfig, signal: AbortSignal): Promise<ExecCredential> {
  const env = {
    ...process.env,
    ...Object.fromEntries(config.env.map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(config, cluster)),
  };
  const { error, stdout, stderr } = await new Promise<{ error: Error | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      config.command,
      [...config.args],
      { env, signal, timeout: PROGRAM_LIMIT_MS, maxBuffer: 1 << 20, windowsHide: true },
      (failure, out, err) => resolve({ error: failure, stdout: out, stderr: err }),
    );
    // Without a terminal a question of the program would wait for ever.
    child.stdin?.end();
  });
  if (error !== null) throw programFailed(config, error, stderr);
  const answer = parseJson(stdout);
  const status = recordAt(answer, 'status');
  const token = textAt(status, 'token');
  const certificate = textAt(status, 'clientCertificateData');
  if (!isRecord(answer) || answer.kind !== 'ExecCredential' || (token === undefined && certificate === undefined)) {
    throw refused('kube.exec.answer', config, {}, 'kube.exec.next');
  }
  const expires = Date.parse(textAt(status, 'expirationTimestamp') ?? '');
  return { token, certificate, key: textAt(status, 'clientKeyData'), expires: Number.isNaN(expires) ? undefined : expires };
}

/** What client-go puts into KUBERNETES_EXEC_INFO (client.authentication.k8s.io, ExecCredentialSpec). */
function execInfo(config: ExecConfig, cluster: ClusterConfig): unknown {
  const spec = {
    interactive: false,
    ...(config.provideClusterInfo && {
      cluster: {
        server: cluster.server,
        'tls-server-name': cluster.tlsServerName,
        'insecure-skip-tls-verify': cluster.skipTlsVerify || undefined,
        'certificate-authority-data': cluster.caData,
        'proxy-url': cluster.proxyUrl,
      },
    }),
  };
  return { apiVersion: config.apiVersion, kind: 'ExecCredential', spec };
}

function programFailed(config: ExecConfig, error: Error, stderr: string): MeshError {
  const code: unknown = isRecord(error) ? error.code : undefined;
  if (code === 'ENOENT') {
    return config.installHint === undefined
      ? refused('kube.exec.missing', config, {}, 'kube.exec.missing.next', error)
      : refused('kube.exec.missing', config, { hint: config.installHint }, 'kube.exec.missing.hint', error);
  }
  if (isRecord(error) && error.killed === true)
    return refused('kube.exec.limit', config, { seconds: PROGRAM_LIMIT_MS / 1000 }, 'kube.exec.next', error);
  return refused(
    'kube.exec.failed',
    config,
    { status: typeof code === 'number' || typeof code === 'string' ? code : '?', text: lastLines(stderr) },
    'kube.exec.next',
    error,
  );
}

function refused(id: string, config: ExecConfig, args: Readonly<Record<string, string | number>>, next: string, cause?: Error): MeshError {
  const all = { command: config.command, ...args };
  // The program's output may hold a token: only its stderr is kept, and an Error of execFile names arguments, so it is not the cause.
  return new MeshError({
    code: 'kube.unauthorized',
    kind: 'person',
    userMessage: message(id, all),
    nextStep: message(next, all),
    cause: cause?.name,
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').slice(0, 500);
}
