// A small HTTP server that answers as the test says: for answers a healthy API server cannot be brought to give.
import http from 'node:http';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { createClusterApi, loadKubeconfig } from '../../../src/kube/index.ts';
import type { MeshError } from '../../../src/mesh/errors.ts';
import type { ClusterApi } from '../../../src/mesh/ports.ts';

export interface Asked {
  readonly method: string;
  /** Path with its query. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** JSON unless it is text. */
  readonly body?: unknown;
  /** Lines after the head, the connection left open; or never an answer at all. */
  readonly stream?: readonly unknown[] | 'never';
  readonly end?: boolean;
}

export interface TestServer {
  readonly url: string;
  readonly asked: Asked[];
  api(extra?: { user?: Record<string, unknown>; env?: Record<string, string>; cluster?: Record<string, unknown> }): Promise<ClusterApi>;
  close(): Promise<void>;
}

export async function serve(answer: (asked: Asked, count: number) => Reply): Promise<TestServer> {
  const asked: Asked[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      const { status = 200, headers = {}, body, stream, end = false } = answer(one, asked.length);
      if (stream === 'never') return;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      if (stream === undefined) response.end(typeof body === 'string' ? body : JSON.stringify(body));
      else {
        response.flushHeaders();
        for (const line of stream) response.write(`${JSON.stringify(line)}\n`);
        if (end) response.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  const opened: ClusterApi[] = [];
  return {
    url,
    asked,
    api: async ({ user = {}, env = {}, cluster = {} } = {}) => {
      const file = await kubeconfigFile({ server: url, ...cluster }, user);
      const api = createClusterApi({
        kubeconfig: await loadKubeconfig({ paths: [file] }),
        context: 'one',
        env,
        reconnect: { firstMs: 5, longestMs: 20 },
      });
      opened.push(api);
      return api;
    },
    close: async () => {
      await Promise.all(opened.map((api) => api.close()));
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export async function kubeconfigFile(cluster: Record<string, unknown>, user: Record<string, unknown> = {}): Promise<string> {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'kube-unit-')), 'config');
  const config = {
    'current-context': 'one',
    clusters: [{ name: 'one', cluster }],
    users: [{ name: 'one', user }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
  };
  await writeFile(file, stringify(config));
  return file;
}

/** The error a promise must reject with. */
export async function failure(promise: Promise<unknown>): Promise<MeshError> {
  const outcome = await promise.then(
    () => ({ error: undefined }),
    (error: unknown) => ({ error }),
  );
  if (typeof outcome.error !== 'object' || outcome.error === null || !('meshError' in outcome.error))
    throw new Error(`expected a MeshError, got ${String(outcome.error)}`);
  return outcome.error as MeshError;
}

/** What a function throws at once, as a rejection. */
export async function attempt<T>(action: () => T): Promise<T> {
  return action();
}

/** A Status as API servers answer it. */
export function status(
  code: number,
  reason: string,
  text: string,
  causes: readonly { reason: string; message: string; field: string }[] = [],
): Reply {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: text, reason, details: { causes }, code },
  };
}
