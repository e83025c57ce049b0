import { hostError } from './errors.ts';

/** Where a package is downloaded from. */
export interface PackageUrl {
  /** Without a login: fetch takes none there. */
  readonly url: URL;
  /** The login of the address, for its own origin alone. */
  readonly authorization?: string;
  /** What messages, plans and logs may show: no login, and no query, which signed addresses keep their secret in. */
  readonly shown: string;
}

/** Reads an http or https address. Throws `package.source` for any other. */
export function packageUrl(address: string): PackageUrl {
  const url = URL.parse(address);
  const shown = url === null ? address : shownUrl(url);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw hostError('package.source', { source: shown, text: 'http, https' }, { text: 'package.source.url', field: 'package' });
  if (url.username === '' && url.password === '') return { url, shown };
  const login = `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, shown, authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

export function shownUrl(address: URL): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.hash = '';
  const asked = url.search !== '';
  url.search = '';
  return asked ? `${url.href}?...` : url.href;
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
