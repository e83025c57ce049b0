import type { HostWork } from '../host/hostWork.ts';
import { pairFits } from '../host/keyPair.ts';
import { wantedStep } from '../host/wantedStep.ts';
import { message } from '../messages.ts';
import type { Step } from '../plan.ts';
import { problem } from '../problem.ts';
import { commandLine } from '../shellWords.ts';
import { CERT_CHAIN, KEY } from './paths.ts';

/** Takes away a certificate whose key is another: an agent that is started on such a pair uses it for every request, and never the token (seen in 1.31). */
export function dropBrokenPairStep(work: HostWork): Step {
  const argv = ['rm', '-f', '--', CERT_CHAIN, KEY];
  return wantedStep(work, {
    id: 'broken-pair',
    title: message('istiod.renew.broken-pair'),
    wanted: (state) => (pairFits(state, CERT_CHAIN, KEY) === false ? state : undefined),
    details: () => [CERT_CHAIN, KEY].map((path) => ({ kind: 'file', verb: 'delete', path })),
    async run(_, options) {
      const { exitCode, stderr } = await work.host.run({ argv, asRoot: true, timeoutMs: 20_000 }, options);
      if (exitCode !== 0)
        throw problem('istiod.renew-failed', { host: work.host.alias, command: commandLine(argv, true), text: stderr.trim() });
    },
  });
}
