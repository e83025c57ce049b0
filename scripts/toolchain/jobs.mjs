// What each suite is made of: jobs, each with labs of its own where it needs some, so that jobs run beside each other: they wait more than they compute.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { mochaRun } from './counted.mjs';
import { root } from './dependencies.mjs';
import { runDesktop, runHost, runLint } from './suites.mjs';

const MINUTE_MS = 60_000;

/**
 * Test files below test/, longest first: the order in which they are begun. `files` together are one job. `labs`: the kinds of labs that must
 * be up for them; none where they bring up their own. `machines`: how many in each; two where nothing is said. `more`: of the suite that runs by its name alone, for what is tried there takes too long for
 * every run. A file that is not listed is a job with a lab, below `lab/istiod/` of the kind istiod.
 */
const listed = [
  {
    suite: 'lab',
    // The last one leaves a machine that is joined by hand.
    files: [
      'istiod/unregistered.test.ts',
      'istiod.conformance.test.ts',
      'istiod/cluster.test.ts',
      'istiod/oracle.test.ts',
      'istiod/checks.test.ts',
    ],
    labs: ['istiod'],
  },
  {
    suite: 'lab',
    // The first one wants machines on which nothing has failed.
    files: ['machine.conformance.test.ts', 'cli.test.ts', 'cliWrongInput.test.ts', 'ssh.test.ts', 'sshPush.test.ts', 'sshVerbs.test.ts'],
    labs: ['citadel'],
  },
  { suite: 'ui', files: ['journey.test.ts', 'chinese.test.ts'], labs: ['citadel'] },
  { suite: 'lab', files: ['istiod/vm.test.ts', 'istiod/cli.test.ts'], labs: ['istiod'] },
  { suite: 'ui', files: ['istiod.test.ts'], labs: ['istiod'] },
  {
    suite: 'lab',
    // The last one leaves a machine that others would not want.
    files: ['cluster.test.ts', 'cluster.conformance.test.ts', 'kube.test.ts', 'standins/conformance.test.ts'],
    labs: ['citadel'],
  },
  { suite: 'lab', files: ['lifecycle.conformance.test.ts'], labs: [] },
  { suite: 'ui', files: ['untrusted.test.ts', 'beginning.test.ts'], labs: [] },
  { suite: 'lab', files: ['istiod/names.test.ts', 'istiod/rpm.test.ts'], labs: [], more: true },
  { suite: 'lab', files: ['lifecycleCuts.test.ts'], labs: [], more: true },
  { suite: 'ui', files: ['actions.test.ts'], labs: ['citadel'], more: true },
  { suite: 'ui', files: ['gatewayName.test.ts'], labs: ['istiod'], more: true },
  { suite: 'lab', files: ['istiod/gateway.test.ts'], labs: ['istiod'], more: true },
  { suite: 'lab', files: ['sshFaults.test.ts'], labs: ['citadel'], more: true },
  { suite: 'ui', files: ['connections.test.ts', 'adoption.test.ts'], labs: ['citadel'], more: true },
  { suite: 'ui', files: ['joinTrouble.test.ts'], labs: ['citadel'], more: true },
];

function mochaJob({ suite, files, labs, machines = 2 }) {
  const name = `${suite}-${files[0].replace('.test.ts', '').replaceAll('/', '-')}`;
  const paths = files.map((file) => path.join('test', suite, file));
  const title = paths.join(', ');
  const run = (env, quiet) => mochaRun(name, paths, { env, quiet, limitMs: 20 * MINUTE_MS });
  return { suite, name, title, labs, machines, parts: [{ suite, title, run }] };
}

function jobsIn(suite) {
  const found = readdirSync(path.join(root, 'test', suite), { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
  const known = listed.filter((one) => one.suite === suite);
  const missing = known.flatMap(({ files }) => files).filter((file) => !found.includes(file));
  if (missing.length > 0) throw new Error(`scripts/toolchain/jobs.mjs names ${missing.join(', ')}: there is no such test in test/${suite}`);
  const others = found.filter((file) => !known.some(({ files }) => files.includes(file)));
  return [
    ...known.filter(({ more }) => more !== true),
    ...others.map((file) => ({ suite, files: [file], labs: [suite === 'lab' && file.startsWith('istiod/') ? 'istiod' : 'citadel'] })),
  ].map(mochaJob);
}

const single = (suite, labs, run, more = {}) => [
  { suite, name: suite, title: suite, labs, machines: 1, parts: [{ suite, title: suite, run }], ...more },
];

/**
 * By name of a suite: its jobs, what must be there before (`on`; `labs`: the programs that labs run; `editor`: code-server and a browser), and `only` where
 * it runs by its name alone.
 */
export const suites = {
  lint: { jobs: () => single('lint', [], (_env, quiet) => runLint({ quiet }), { behind: true }) },
  unit: {
    on: ['build'],
    jobs: () => single('unit', [], (_env, quiet) => mochaRun('unit', ['test/unit/**/*.test.ts'], { quiet, limitMs: 5 * MINUTE_MS })),
  },
  lab: { on: ['build', 'labs'], jobs: () => jobsIn('lab') },
  ui: { on: ['vsix', 'labs', 'editor'], jobs: () => jobsIn('ui') },
  host: { on: ['build', 'labs', 'editor'], jobs: () => single('host', ['citadel'], (env, quiet) => runHost(env, { quiet })) },
  more: {
    on: ['vsix', 'labs', 'editor'],
    only: true,
    jobs: () => listed.filter(({ more }) => more === true).map((one) => ofMore(mochaJob(one))),
  },
  desktop: { on: ['build', 'labs'], only: true, jobs: () => single('desktop', ['citadel'], (env, quiet) => runDesktop(env, { quiet })) },
};

function ofMore(job) {
  return { ...job, suite: 'more', parts: job.parts.map((part) => ({ ...part, suite: 'more' })) };
}

/**
 * In the order of the list, whatever their suite, then what is not listed; unit tests last: they wait for nothing. `behind`: a job that has the time in which
 * the others wait, beside them from the beginning.
 */
export function jobsOf(names) {
  const rank = ({ suite, name }) => {
    if (suite === 'unit') return listed.length + 1;
    const index = listed.findIndex((one) => mochaJob(one).name === name);
    return index < 0 ? listed.length : index;
  };
  return onOneLab(names.flatMap((name) => suites[name].jobs())).sort((one, other) => rank(one) - rank(other));
}

/** These leave the machines as they were, and begin without load balancers where they set them up: where several are run, one lab does. */
function onOneLab(jobs) {
  const chain = ['host', 'ui-journey', 'lab-cluster']
    .map((name) => jobs.find((job) => job.name === name))
    .filter((job) => job !== undefined);
  if (chain.length < 2) return jobs;
  const title = chain.map((job) => job.title).join(', ');
  // In the place of the second: the host suite is not in the list.
  const one = { ...chain[1], title, machines: Math.max(...chain.map((job) => job.machines)), parts: chain.flatMap((job) => job.parts) };
  return [...jobs.filter((job) => !chain.includes(job)), one];
}
