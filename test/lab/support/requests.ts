// What the extension's own client sends to API servers, and with what status they answer: seen below its code, in the HTTP library.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: unknown;
}

interface Answered {
  readonly request: Sent;
  readonly response: { readonly statusCode: number };
}

export interface Requests {
  /** `METHOD PATH` with its query, in the order in which they were sent. */
  readonly sent: readonly string[];
  /** As `sent`, those that were refused (401 and 403). */
  readonly refused: readonly string[];
  stop(): void;
}

export function recordRequests(): Requests {
  const sent: string[] = [];
  const refused: string[] = [];
  const isOurs = ({ headers }: Sent) => String(headers).includes('mesh-expansion');
  const text = ({ method, path }: Sent) => `${method} ${path}`;
  const onCreate = (event: unknown) => {
    const { request } = event as { readonly request: Sent };
    if (isOurs(request)) sent.push(text(request));
  };
  const onHeaders = (event: unknown) => {
    const { request, response } = event as Answered;
    if (isOurs(request) && (response.statusCode === 401 || response.statusCode === 403)) refused.push(text(request));
  };
  subscribe('undici:request:create', onCreate);
  subscribe('undici:request:headers', onHeaders);
  return {
    sent,
    refused,
    stop: () => {
      unsubscribe('undici:request:create', onCreate);
      unsubscribe('undici:request:headers', onHeaders);
    },
  };
}
