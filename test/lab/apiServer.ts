// What the lab's API server answers to its administrator, over one connection that is kept: for tests that look again and again, where a kubectl each time would be most of the work.
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const LIMIT_MS = 20_000;

export interface ApiReader {
  /** The object or list at a path of the API (`/api/v1/...`). Throws an Error with the server's words on any status but 200, and without an answer in 20 s. */
  readonly read: (path: string) => Promise<unknown>;
  /** As `read`, but undefined for what is not there. */
  readonly find: (path: string) => Promise<unknown>;
}

export function createApiReader(server: string, pkiDirectory: string): ApiReader {
  let agent: Promise<https.Agent> | undefined;
  const connect = async (): Promise<https.Agent> => {
    const [ca, cert, key] = await Promise.all(['ca.crt', 'admin.crt', 'admin.key'].map((name) => readFile(path.join(pkiDirectory, name))));
    // One connection that is idle keeps no program running.
    return new https.Agent({ keepAlive: true, ca, cert, key });
  };
  const find = async (at: string): Promise<unknown> => {
    const options = { agent: await (agent ??= connect()), headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(LIMIT_MS) };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      https.get(new URL(at, server), options, resolve).once('error', reject);
    });
    const body = await text(response);
    if (response.statusCode === 200) return JSON.parse(body);
    // The name is told only of an object that is not there; a 404 without it is of a path that the API does not know, a mistake of the caller.
    if (response.statusCode === 404 && body.includes(`"name":"${path.basename(at)}"`)) return undefined;
    throw new Error(`GET ${at}: ${response.statusCode} ${body.slice(0, 500)}`);
  };
  const read = async (at: string): Promise<unknown> => {
    const found = await find(at);
    if (found === undefined) throw new Error(`GET ${at}: 404`);
    return found;
  };
  return { read, find };
}
