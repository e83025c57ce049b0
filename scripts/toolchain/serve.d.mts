export interface CodeServerOptions {
  readonly vsix?: string;
  readonly also?: readonly string[];
  readonly folder?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly locale?: string;
  readonly password?: string;
  readonly port?: number;
  readonly driver?: boolean;
  readonly untrusted?: boolean;
  readonly root?: string;
}
export interface CodeServer {
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  readonly root: string;
  readonly user: string;
  readonly folder: string;
  readonly logFile: string;
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}
export function freePort(): Promise<number>;
export function startCodeServer(options?: CodeServerOptions): Promise<CodeServer>;
