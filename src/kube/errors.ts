import { isMeshError, MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import { isRecord, listAt, recordAt, textAt } from './json.ts';

/** What a request is about, for messages. */
export interface Target {
  /** API verb, e.g. `get`, `patch`. */
  readonly verb: string;
  /** Plural resource, or the path for requests that are not about one. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

function targetArgs(target: Target): { verb: string; resource: string; namespace: string; name: string } {
  return { verb: target.verb, resource: target.resource, namespace: target.namespace ?? '-', name: target.name ?? '-' };
}

/** Host and port of a server, always with the port. */
export function hostAndPort(server: string): string {
  const url = new URL(server);
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

const TRUST = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);
const VALIDITY = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Words and next step for a connection that failed, by the error's code. `via`: the proxy in use. */
export function connectionError(error: unknown, context: string, server: string, via: string | undefined): MeshError {
  if (isMeshError(error)) return error;
  const code = errorCode(error);
  const args = { context, server: hostAndPort(server), reason: code ?? errorText(error), proxy: via ?? '-' };
  const unreachable = (id: string, next: string) =>
    new MeshError({ code: 'kube.unreachable', userMessage: message(id, args), nextStep: message(next, args), cause: error });
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' || code === 'ETIMEDOUT')
    return timeout(context, server, undefined, error);
  if (code !== undefined && TRUST.has(code)) return unreachable('kube.tls.untrusted', 'kube.tls.untrusted.next');
  if (code !== undefined && VALIDITY.has(code)) return unreachable('kube.tls.validity', 'kube.tls.validity.next');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return unreachable('kube.tls.name', 'kube.tls.name.next');
  if (code === 'ERR_OSSL_PEM_NO_START_LINE' || code?.startsWith('ERR_OSSL') === true || code === 'ERR_CRYPTO_INVALID_STATE')
    return unreachable('kube.tls.material', 'kube.tls.material.next');
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL') === true) return unreachable('kube.tls.protocol', 'kube.tls.protocol.next');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return unreachable('kube.unreachable.name', 'kube.unreachable.name.next');
  return via === undefined
    ? unreachable('kube.unreachable', 'kube.unreachable.next')
    : unreachable('kube.unreachable.proxy', 'kube.unreachable.proxy.next');
}

/** `limitMs` undefined: the connection's own limit. */
export function timeout(context: string, server: string, limitMs: number | undefined, cause?: unknown): MeshError {
  const args = { context, server: hostAndPort(server), seconds: limitMs === undefined ? '-' : limitMs / 1000 };
  return new MeshError({
    code: 'kube.timeout',
    userMessage: message(limitMs === undefined ? 'kube.timeout.connect' : 'kube.timeout', args),
    nextStep: message('kube.timeout.next', args),
    cause,
  });
}

/** Something answered, but not as a Kubernetes API server does. */
export function notKubernetes(context: string, server: string, status: number): MeshError {
  const args = { context, server: hostAndPort(server), status };
  return new MeshError({
    code: 'kube.unreachable',
    userMessage: message('kube.not-kubernetes', args),
    nextStep: message('kube.not-kubernetes.next', args),
  });
}

/** An HTTP status with the API server's Status object, or with whatever the body is. */
export function statusError(status: number, body: unknown, target: Target, context: string, server: string): MeshError {
  const args = {
    ...targetArgs(target),
    context,
    text: textAt(body, 'message') ?? (typeof body === 'string' ? body.slice(0, 300) : ''),
    status,
  };
  const make = (
    code: string,
    id: string,
    next: string | undefined,
    extra: Readonly<Record<string, string | number>> = {},
    kind?: 'person',
    field?: string,
  ) =>
    new MeshError({
      code,
      kind,
      userMessage: message(id, { ...args, ...extra }),
      nextStep: next === undefined ? undefined : message(next, { ...args, ...extra }),
      field,
      cause: body,
    });
  const causes = statusCauses(body);
  switch (status) {
    case 401:
      return make('kube.unauthorized', 'kube.unauthorized', 'kube.unauthorized.next', {}, 'person');
    case 403:
      return target.namespace === undefined
        ? make('kube.forbidden', 'kube.forbidden.cluster', 'kube.forbidden.next')
        : make('kube.forbidden', 'kube.forbidden', 'kube.forbidden.next');
    case 404:
      return isStatus(body) || (typeof body === 'string' && body.startsWith('404 page not found'))
        ? make('kube.not-found', 'kube.not-found', 'kube.not-found.next')
        : notKubernetes(context, server, status);
    case 409:
      return conflict(body, causes, make);
    case 400:
    case 422: {
      if (!isStatus(body)) return notKubernetes(context, server, status);
      const fields = causes.map((cause) => `${cause.field}: ${cause.text}`).join('; ');
      return fields === ''
        ? make('kube.invalid', 'kube.invalid', 'kube.invalid.next')
        : make('kube.invalid', 'kube.invalid.fields', 'kube.invalid.next', { fields }, undefined, causes[0]?.field);
    }
    case 410:
      return make('kube.expired', 'kube.server', 'kube.server.next');
    case 415:
      return make('kube.unsupported-media', 'kube.unsupported-media', undefined);
    default:
      return isStatus(body) || status === 429 || status >= 500
        ? make('kube.server', 'kube.server', 'kube.server.next')
        : notKubernetes(context, server, status);
  }
}

type Make = (
  code: string,
  id: string,
  next: string | undefined,
  extra?: Readonly<Record<string, string | number>>,
  kind?: 'person',
) => MeshError;

function conflict(body: unknown, causes: readonly StatusCause[], make: Make): MeshError {
  const owned = causes.filter((cause) => cause.reason === 'FieldManagerConflict');
  if (owned.length > 0) {
    const owners = [...new Set(owned.map((cause) => conflictOwner(cause.text)))].join(', ');
    return make(
      'kube.conflict',
      'kube.conflict.owner',
      'kube.conflict.owner.next',
      { owners, fields: owned.map((cause) => cause.field).join(', ') },
      'person',
    );
  }
  if (textAt(body, 'reason') === 'AlreadyExists')
    return make('kube.conflict', 'kube.conflict.exists', 'kube.conflict.exists.next', {}, 'person');
  return make('kube.conflict', 'kube.conflict.newer', 'kube.conflict.newer.next', {}, 'person');
}

/** `conflict with "other" using v1 at 2026-...` (apimachinery, managedfields/internal/conflict.go). */
function conflictOwner(text: string): string {
  return /conflict with "([^"]*)"/.exec(text)?.[1] ?? text;
}

export interface StatusCause {
  readonly reason: string;
  readonly field: string;
  readonly text: string;
}

export function statusCauses(body: unknown): readonly StatusCause[] {
  return listAt(recordAt(body, 'details'), 'causes').map((cause) => ({
    reason: textAt(cause, 'reason') ?? '',
    field: textAt(cause, 'field') ?? '',
    text: textAt(cause, 'message') ?? '',
  }));
}

export function isStatus(body: unknown): boolean {
  return isRecord(body) && body.kind === 'Status';
}

/** The first code in an error, its cause or its parts (Node wraps several connection attempts in an AggregateError). */
export function errorCode(error: unknown): string | undefined {
  if (!isRecord(error)) return undefined;
  const code = error.code;
  if (typeof code === 'string' && code !== 'UND_ERR_SOCKET') return code;
  for (const inner of [error.cause, ...listAt(error, 'errors')]) {
    const found = errorCode(inner);
    if (found !== undefined) return found;
  }
  return typeof code === 'string' ? code : undefined;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function badRequest(id: string, args: Readonly<Record<string, string>>, field: string): MeshError {
  return new MeshError({
    code: 'kube.invalid',
    kind: 'bad-input',
    userMessage: message(id, args),
    nextStep: message('kube.invalid.next', args),
    field,
  });
}
