import type { MeshError } from '../mesh/errors.ts';

/** Exit codes (design: The command line). */
export const exitCodes = { fine: 0, failed: 1, 'bad-input': 2, check: 3, person: 4, cancelled: 130, terminated: 143 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export function exitCodeOfError(error: MeshError): ExitCode {
  return exitCodes[error.kind];
}

/** Code of a run over several: the highest of 1 - 4 that occurred, but a cancellation is told as such. */
export function overall(codes: readonly ExitCode[], signal: 'SIGINT' | 'SIGTERM' | undefined): ExitCode {
  if (signal !== undefined) return signal === 'SIGINT' ? exitCodes.cancelled : exitCodes.terminated;
  if (codes.includes(exitCodes.cancelled)) return exitCodes.cancelled;
  return codes.reduce<ExitCode>((highest, code) => (code > highest ? code : highest), exitCodes.fine);
}
