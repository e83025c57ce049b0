// An API server from before server-side apply (Kubernetes 1.15 and older) and before ServiceCIDR (1.32 and older): a stand-in for a cluster of the guide's time.
// A TLS proxy before the lab's API server: an apply patch is answered 415, ServiceCIDR and its discovery entry are not there, all else passes unchanged.
// Callers prove themselves by client certificate here; the API server is told who they are by the front-proxy headers, as an aggregator does. Bearer tokens pass through.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import path from 'node:path';
import process from 'node:process';
import { TLSSocket } from 'node:tls';

const APPLY_PATCHES = ['application/apply-patch+yaml', 'application/apply-patch+cbor'];
const IDENTITY_HEADERS = /^(x-remote-|impersonate-)/;

const [listen, upstream, pki] = process.argv.slice(2);
if (!listen || !upstream || !pki) throw new Error('usage: oldApiServer.ts LISTEN:PORT UPSTREAM:PORT PKI_DIRECTORY');
const [listenHost = '', listenPort = ''] = listen.split(':');
const [upstreamHost = '', upstreamPort = ''] = upstream.split(':');
const read = (name: string) => readFileSync(path.join(pki, name));
const agent = new https.Agent({ keepAlive: true, ca: read('ca.crt'), cert: read('front-proxy.crt'), key: read('front-proxy.key') });
// A caller without a certificate must stay unknown to the API server too, so its way there shows none.
const anonymousAgent = new https.Agent({ keepAlive: true, ca: read('ca.crt') });

https
  .createServer(
    { cert: read('apiserver.crt'), key: read('apiserver.key'), ca: read('ca.crt'), requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const url = new URL(request.url ?? '/', 'https://lab');
      const contentType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
      if (request.method === 'PATCH' && APPLY_PATCHES.includes(contentType)) {
        refuse(
          request,
          response,
          415,
          'UnsupportedMediaType',
          'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json',
        );
      } else if (/^\/apis\/networking\.k8s\.io\/[^/]+\/(servicecidrs|ipaddresses)(\/|$)/.test(url.pathname)) {
        refuse(request, response, 404, 'NotFound', 'the server could not find the requested resource');
      } else {
        forward(request, response);
      }
    },
  )
  .listen(Number(listenPort), listenHost);

function refuse(request: IncomingMessage, response: ServerResponse, code: number, reason: string, message: string): void {
  request.resume();
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details: {}, code }));
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const headers: Record<string, string | string[] | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) if (!IDENTITY_HEADERS.test(name)) headers[name] = value;
  const { socket } = request;
  const caller = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject : undefined;
  if (caller) {
    headers['x-remote-user'] = [caller.CN].flat()[0];
    headers['x-remote-group'] = [caller.O ?? [], 'system:authenticated'].flat();
  }
  const discovery =
    request.method === 'GET' && /^\/apis(\/networking\.k8s\.io\/v1)?\/?$/.test(new URL(request.url ?? '/', 'https://lab').pathname);
  // Discovery is edited on its way, so it must come as plain JSON.
  if (discovery) {
    delete headers['accept-encoding'];
    headers.accept = 'application/json';
  }
  const onward = https.request(
    { host: upstreamHost, port: upstreamPort, path: request.url, method: request.method, headers, agent: caller ? agent : anonymousAgent },
    (answer) => {
      if (discovery) hideFromDiscovery(answer, response);
      else {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }
    },
  );
  onward.once('error', (error) => {
    if (response.headersSent) response.destroy();
    else refuse(request, response, 502, 'ServiceUnavailable', error.message);
  });
  response.once('close', () => onward.destroy());
  request.pipe(onward);
}

function hideFromDiscovery(answer: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.once('end', () => {
    const list = JSON.parse(Buffer.concat(chunks).toString()) as { resources?: { name: string }[] };
    if (list.resources) list.resources = list.resources.filter(({ name }) => !/^(servicecidrs|ipaddresses)(\/|$)/.test(name));
    response.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' });
    response.end(JSON.stringify(list));
  });
  answer.once('error', () => response.destroy());
}
