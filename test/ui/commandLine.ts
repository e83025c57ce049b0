import path from 'node:path';
import process from 'node:process';
import type { Lab } from '../lab/env.ts';
import { run } from '../lab/toolchain/run.ts';

/** The command line in a folder with an inventory: what is not the subject of a test is brought about with it. */
export async function commandLine(lab: Lab, folder: string, ...argv: readonly string[]): Promise<void> {
  const program = path.resolve('dist/cli.cjs');
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: lab.kubeconfig, LANG: 'C' };
  await run([process.execPath, program, ...argv, '--yes', '--ssh-config', lab.sshConfig], { cwd: folder, env, timeout: 180_000 });
}
