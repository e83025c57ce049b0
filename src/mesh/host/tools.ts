import { message } from '../messages.ts';
import type { Step } from '../plan.ts';
import type { HostState } from '../ports.ts';
import { isInstalled, unitOf } from './hostState.ts';
import { tidy, type HostWork } from './hostWork.ts';
import { purge } from './purge.ts';
import type { Need, Sidecar } from './sidecar.ts';
import { some, wantedStep } from './wantedStep.ts';

/** Installing what the machine lacks from its own repositories. */
export function toolsStep(work: HostWork): Step {
  let installed: readonly string[] = [];
  return wantedStep(work, {
    id: 'tools',
    title: message('host.tools.title'),
    wanted: (state) => some(missingTools(work.sidecar, state)),
    details: (names) => [{ kind: 'command', commandLine: `apt-get install -y --no-install-recommends ${names.join(' ')}` }],
    async run(names, options) {
      installed = names;
      await work.host.installTools(names, { ...options, owner: work.owner });
    },
    async undo(options) {
      await work.view.change(() => purge(work.host, installed, options));
      await tidy(work, options);
    },
  });
}

/** Packages of the tools that the machine has neither as a program nor as a package. */
export function missingTools({ needs }: Pick<Sidecar, 'needs'>, state: HostState): readonly string[] {
  const nameOf = (need: Need): string => (state.facts?.os.packages === 'rpm' ? (need.rpm ?? need.package) : need.package);
  const has = (need: Need): boolean =>
    isInstalled(state, nameOf(need)) ||
    (need.unit === undefined ? state.programs[need.program] === true : unitOf(state, need.unit)?.load === 'loaded');
  return needs.filter((need) => !has(need)).map(nameOf);
}
