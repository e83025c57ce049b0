import type { Backend } from './network.ts';
import type { Machine } from './machine.ts';

/** An HTTP answer, or what curl says where there is none. */
export type HttpAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly throughEnvoy: boolean }
  | { readonly kind: 'error'; readonly exitCode: number; readonly text: string; readonly takesMs: number };

const PRODUCTPAGE = `<!DOCTYPE html>
<html>
  <head><title>Simple Bookstore App</title></head>
  <body><h3>Hello! This is a simple bookstore application consisting of three services.</h3></body>
</html>
`;

/** Asks for a URL as curl on the machine does: as root nothing is captured (citadel facts 4: uid root is never intercepted). */
export function request(machine: Machine, url: URL, asRoot: boolean, rootFile?: string): HttpAnswer {
  const port = url.port === '' ? 80 : Number(url.port);
  if (['localhost', '127.0.0.1'].includes(url.hostname)) return onMachine(machine, machine.address, port, url);
  const address = addressOf(machine, url.hostname);
  if (address === undefined) return { kind: 'error', exitCode: 6, text: `curl: (6) Could not resolve host: ${url.hostname}`, takesMs: 0 };
  if (url.protocol === 'https:') return overTls(machine, url, address, port, rootFile);
  const capture = machine.sidecar.captures(machine);
  if (machine.network.isClusterIp(address)) {
    if (capture.active && !asRoot) {
      const backend = machine.network.captured(address, port, capture.cidrs);
      if (backend !== 'not-captured') return answered(machine, backend, url, port, address, true);
    }
    return {
      kind: 'error',
      exitCode: 28,
      text: `curl: (28) Failed to connect to ${url.hostname} port ${port}: Connection timed out`,
      takesMs: 60_000,
    };
  }
  const direct = machine.network.direct(address, port);
  return direct === 'machine' ? onMachine(machine, address, port, url) : answered(machine, direct, url, port, address, false);
}

/** Only istiod talks TLS here; what it says to a plain GET is an error, but it said it. */
function overTls(machine: Machine, { hostname }: URL, address: string, port: number, rootFile: string | undefined): HttpAnswer {
  const error = (exitCode: number, text: string, takesMs = 0): HttpAnswer => ({
    kind: 'error',
    exitCode,
    text: `curl: (${exitCode}) ${text}`,
    takesMs,
  });
  const end = machine.sidecar.dials(address, port, hostname);
  if (end === 'timeout') return error(28, `Failed to connect to ${hostname} port ${port}: Connection timed out`, 60_000);
  if (end === 'refused') return error(7, `Failed to connect to ${hostname} port ${port}: Connection refused`);
  const root = rootFile === undefined ? '' : machine.files.text(rootFile);
  if (root === undefined) return error(77, `error setting certificate file: ${rootFile ?? ''}`);
  if (!machine.sidecar.isTrustedBy(root)) return error(60, 'SSL certificate problem: self-signed certificate in certificate chain');
  return { kind: 'answer', status: 415, body: '', throughEnvoy: false };
}

/** A port of a machine, this one or another: its sidecar's, else an application's. */
function onMachine(machine: Machine, address: string, port: number, url: URL): HttpAnswer {
  const there = machine.network.machineAt(address);
  const answer = there?.sidecar.answersPort(there, port, url) ?? there?.answer(port, url);
  return (
    answer ?? {
      kind: 'error',
      exitCode: 7,
      text: `curl: (7) Failed to connect to ${url.hostname} port ${port}: Connection refused`,
      takesMs: 0,
    }
  );
}

function addressOf(machine: Machine, name: string): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(name)) return name;
  const found = machine.lookUp(name);
  return found.kind === 'address' ? found.address : undefined;
}

function answered(
  machine: Machine,
  backend: Backend | 'refused' | 'timeout',
  url: URL,
  port: number,
  address: string,
  throughEnvoy: boolean,
): HttpAnswer {
  if (backend === 'timeout')
    return {
      kind: 'error',
      exitCode: 28,
      text: `curl: (28) Failed to connect to ${url.hostname} port ${port}: Connection timed out`,
      takesMs: 60_000,
    };
  if (backend === 'refused') {
    if (throughEnvoy) return { kind: 'answer', status: 503, body: 'no healthy upstream', throughEnvoy };
    return { kind: 'error', exitCode: 7, text: `curl: (7) Failed to connect to ${address} port ${port}: Connection refused`, takesMs: 0 };
  }
  const other = backend.address === undefined ? undefined : machine.network.machineAt(backend.address);
  if (other !== undefined) {
    const headers = machine.sidecar.identityHeaders(machine, other);
    const answer = other.answer(backend.port, url, headers);
    return answer === undefined || answer.kind === 'error'
      ? { kind: 'answer', status: 503, body: 'upstream connect error or disconnect/reset before headers', throughEnvoy }
      : { ...answer, throughEnvoy };
  }
  if (backend.workload === 'istio-pilot' && backend.port === 8080) return { kind: 'answer', ...pilot(machine, url), throughEnvoy };
  if (backend.workload === 'productpage') return { kind: 'answer', status: 200, body: PRODUCTPAGE, throughEnvoy };
  if (['details', 'reviews', 'ratings'].includes(backend.workload))
    return { kind: 'answer', status: 200, body: `{"service": "${backend.workload}"}\n`, throughEnvoy };
  return { kind: 'error', exitCode: 52, text: 'curl: (52) Empty reply from server', takesMs: 0 };
}

/** Pilot 1.0.3 on :8080 (citadel facts 7 and 10): `/v1/registration` is a list, with a key appended it is gone. */
function pilot(machine: Machine, url: URL): { readonly status: number; readonly body: string } {
  const path = decodeURIComponent(url.pathname);
  if (path === '/version') return { status: 200, body: '1.0.3-playground\n' };
  if (path === '/ready') return { status: 200, body: '' };
  if (path === '/v1/registration' || path === '/v1/registration/') {
    const entries = machine.network.registration().map(({ key, hosts }) => ({ 'service-key': key, hosts }));
    return { status: 200, body: `${JSON.stringify(entries, undefined, 2)}\n` };
  }
  if (['/debug/registryz', '/debug/endpointz', '/debug/syncz', '/metrics'].includes(path)) return { status: 200, body: '[]\n' };
  return { status: 404, body: '404: Page Not Found' };
}
