import { readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import Mocha from 'mocha';
import Reporter from '../report/reporter.cjs';

/** Called by VS Code inside its extension host: runs every bundled test file beside this one. Throws where a test failed. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, reporter: Reporter, grep: process.env.MOCHA_GREP });
  for (const name of readdirSync(__dirname)
    .filter((file) => file.endsWith('.test.cjs'))
    .sort())
    mocha.addFile(path.join(__dirname, name));
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} test(s) failed in the extension host`);
}
