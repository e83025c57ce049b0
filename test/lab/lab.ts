// `npm run lab -- up|down|status|env [--name NAME] [--machines N] [--istio KIND] [--json]`: a real cluster and real machines, on this machine, for tests and for any other tool.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { cacheDirectory } from '../../scripts/node24.mjs';
import { enterOwnGroup } from './cgroups.ts';
import { down } from './down.ts';
import { labEnv } from './env.ts';
import { environmentJson, shellExports } from './envOutput.ts';
import { DEFAULT_LAB, labName } from './names.ts';
import { requireRoot } from './privilege.ts';
import { istioKind, readRecord } from './record.ts';
import { status } from './status.ts';
import { up } from './up.ts';

const USAGE = `usage: lab up|down|status|env [--name NAME] [--machines N] [--istio citadel|istiod] [--json]
  up      bring the lab up (default name ${DEFAULT_LAB}) with at least N machines (default 2); builds what is missing first;
          --istio: the Istio of a new lab, citadel (1.0.3, stand-ins; default) or istiod (1.31, the real one)
  down    remove it, with everything it made
  status  say what runs; exit code 1 when something does not
  env     print kubeconfig, ssh config and addresses as shell exports, or as JSON
`;

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string', default: DEFAULT_LAB },
      machines: { type: 'string', default: '2' },
      istio: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [verb, ...rest] = positionals;
  if (values.help || rest.length > 0 || !verb || !['up', 'down', 'status', 'env'].includes(verb)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const lab = labName(values.name);
  const machines = Number(values.machines);
  if (!Number.isInteger(machines) || machines < 1 || machines > 50)
    throw new RangeError(`--machines ${values.machines}: a number from 1 to 50`);
  const istio = values.istio === undefined ? undefined : istioKind(values.istio);
  requireRoot();
  if (verb === 'up') {
    // Should this be killed, the next `up` or `down` finds what it had just started.
    await enterOwnGroup(lab);
    await up(lab, machines, { cacheDirectory, report }, istio);
    return 0;
  }
  if (verb === 'down') {
    report((await down(lab)) ? `lab ${lab} is gone` : `there is no lab ${lab}`);
    return 0;
  }
  if (!(await readRecord(lab))) {
    report(`there is no lab ${lab}: npm run lab -- up${lab === DEFAULT_LAB ? '' : ` --name ${lab}`}`);
    return 1;
  }
  if (verb === 'status') {
    const lines = await status(lab);
    for (const { what, runs } of lines) process.stdout.write(`${runs ? 'up  ' : 'DOWN'} ${what}\n`);
    return lines.every(({ runs }) => runs) ? 0 : 1;
  }
  const env = await labEnv(lab);
  process.stdout.write(values.json ? `${JSON.stringify(environmentJson(env), null, 2)}\n` : shellExports(env));
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  report(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof RangeError || (error instanceof TypeError && 'code' in error) ? 2 : 1;
}
