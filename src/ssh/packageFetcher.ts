import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isMeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, PackageFetcher, PackageFile, PackageSource } from '../mesh/ports.ts';
import { readDebControl } from './debControl.ts';
import { errorText, hostError } from './errors.ts';
import { isRpm, readRpmHeader } from './rpmHeader.ts';
import { packageUrl, type PackageUrl } from './packageUrl.ts';

const PACKAGE_LIMIT = 256 * 1024 * 1024;
const VERSION_FILE_LIMIT = 64 * 1024;
const LIMIT_MS = 600_000;
const REDIRECTS = 5;
/** Name of the package below a release's PILOT_DEBIAN_URL since 0.5 (citadel facts 2, step 3). */
const SIDECAR = 'istio-sidecar.deb';

/** Gets the sidecar package to this side: few VMs have a way out. Throws `package.source`, `package.checksum` (bad input), `package.download`, `package.unsupported`, `cancelled`. */
export function createPackageFetcher(): PackageFetcher {
  return { fetch: (source, options = {}) => fetchVerified(source, options) };
}

async function fetchVerified(source: PackageSource, options: CallOptions): Promise<PackageFile> {
  const wanted = source.sha256?.toLowerCase();
  const invalid = { kind: 'bad-input', field: 'sha256' } as const;
  if (wanted !== undefined && !/^[0-9a-f]{64}$/.test(wanted))
    throw hostError('package.checksum', { wanted: source.sha256 ?? '' }, { ...invalid, text: 'package.checksum.rule' });
  const { plain, ...file } = await fetchPackage(source, options);
  if (wanted !== undefined && wanted !== file.sha256)
    throw hostError('package.checksum', { source: file.source, wanted, found: file.sha256 }, invalid);
  return plain && wanted === undefined ? { ...file, unverified: true } : file;
}

/** `plain`: it came over plain http. */
type Fetched = PackageFile & { readonly plain: boolean };

async function fetchPackage(source: PackageSource, options: CallOptions): Promise<Fetched> {
  if (source.kind === 'file') return packageOf(await readLocal(source.path, PACKAGE_LIMIT), source.path);
  if (source.kind === 'url') {
    return downloaded(packageUrl(source.url), options);
  }
  const text = Buffer.from(await readLocal(source.path, VERSION_FILE_LIMIT)).toString('utf8');
  const { url, several } = sidecarUrl(text, source.path);
  const from = packageUrl(url);
  try {
    return await downloaded(from, options);
  } catch (error) {
    // Up to 0.4 a release had three packages and no istio-sidecar.deb (citadel facts 2, step 3).
    if (several && isMeshError(error, 'package.download'))
      throw hostError('package.unsupported', { source: source.path, text: error.userMessage.args.text ?? '' }, { cause: error });
    throw error;
  }
}

/** The package's address from a release's istio.VERSION, read as data (`export NAME="value"` lines), never run. Throws `package.source`. */
export function sidecarUrl(text: string, path: string): { readonly url: string; readonly several: boolean } {
  const variables = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?(\w+)=(?:"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\]*))\s*(?:#.*)?$/.exec(line);
    if (match?.[1] !== undefined) variables.set(match[1], match[2] ?? match[3] ?? match[4] ?? '');
  }
  const base = variables.get('PILOT_DEBIAN_URL');
  if (base === undefined || base === '')
    throw hostError('package.source', { source: path, text: 'PILOT_DEBIAN_URL' }, { text: 'package.source.version', field: 'package' });
  return { url: `${base.replace(/\/+$/, '')}/${SIDECAR}`, several: variables.has('PROXY_DEBIAN_URL') || variables.has('AUTH_DEBIAN_URL') };
}

async function downloaded(from: PackageUrl, options: CallOptions): Promise<Fetched> {
  return packageOf(await download(from, options), from.shown, from.url.protocol === 'http:');
}

async function packageOf(bytes: Uint8Array, source: string, plain = false): Promise<Fetched> {
  try {
    const control = isRpm(bytes) ? { format: 'rpm' as const, ...readRpmHeader(bytes) } : await readDebControl(bytes);
    return { ...control, sha256: createHash('sha256').update(bytes).digest('hex'), bytes, source, plain };
  } catch (error) {
    throw hostError('package.source', { source, text: errorText(error) }, { text: 'package.source.deb', cause: error, field: 'package' });
  }
}

async function readLocal(path: string, limit: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > limit) throw new Error(`${size} bytes, more than ${limit}`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw hostError('package.source', { source: path, text: errorText(error) }, { cause: error, field: 'package' });
  }
}

async function download(from: PackageUrl, options: CallOptions): Promise<Uint8Array> {
  const limit = AbortSignal.timeout(options.timeoutMs ?? LIMIT_MS);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  try {
    const response = await follow(from, signal);
    return await body(response, from.shown, options);
  } catch (error) {
    if (isMeshError(error)) throw error;
    if (options.signal?.aborted === true) throw hostError('cancelled', { host: from.shown }, { text: 'cancelled.before', cause: error });
    const cause = error instanceof Error && error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : errorText(error);
    throw hostError('package.download', { source: from.shown, text: cause }, { cause: error });
  }
}

/** Redirects by hand: only http and https, never from https down to http, and no login for another origin. */
async function follow({ url: first, authorization }: PackageUrl, signal: AbortSignal): Promise<Response> {
  let url = first;
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const headers = authorization !== undefined && url.origin === first.origin ? { authorization } : undefined;
    const response = await fetch(url, { redirect: 'manual', signal, headers });
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (location === null) {
      if (!response.ok) throw new Error(`HTTP ${response.status} ${response.statusText}`);
      return response;
    }
    await response.body?.cancel();
    const { url: next, shown } = packageUrl(new URL(location, url).href);
    if (url.protocol === 'https:' && next.protocol !== 'https:') throw new Error(`redirected from https to ${shown}`);
    url = next;
  }
  throw new Error(`more than ${REDIRECTS} redirects`);
}

async function body(response: Response, source: string, options: CallOptions): Promise<Uint8Array> {
  const total = Number(response.headers.get('content-length') ?? 0);
  if (total > PACKAGE_LIMIT) throw new Error(`${total} bytes, more than ${PACKAGE_LIMIT}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  let reported = 0;
  if (response.body === null) throw new Error('no content');
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > PACKAGE_LIMIT) throw new Error(`more than ${PACKAGE_LIMIT} bytes`);
    chunks.push(chunk);
    if (length - reported > 1 << 20) {
      reported = length;
      options.onProgress?.(message('ssh.package.progress', { source, megabytes: Math.round(length / (1 << 20)) }));
    }
  }
  return Buffer.concat(chunks);
}
