import assert from 'node:assert/strict';
import { Output } from '../../../src/cli/output.ts';
import { loadTexts } from '../../../src/cli/language.ts';
import { changeTargets } from '../../../src/cli/planCommand.ts';
import { Prompts } from '../../../src/cli/prompts.ts';
import type { Session } from '../../../src/cli/session.ts';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { Plan, Step } from '../../../src/mesh/plan.ts';

const text = message('cli.confirm');
const failure = new MeshError({ code: 'host.unit', userMessage: text });

/** A step that notes what is done to it. */
function step(id: string, log: string[], more: Partial<Step> = {}): Step {
  return {
    id,
    title: message(id),
    target: 'db-1',
    preview: async () => ({ needed: true, details: [] }),
    run: async () => void log.push(`run ${id}`),
    undo: async () => void log.push(`undo ${id}`),
    ...more,
  };
}

function failing(log: string[]): Plan {
  const fails = step('start', log, { run: () => Promise.reject(failure) });
  return { id: 'join', title: text, hosts: ['db-1'], steps: [step('files', log), step('package', log), fails] };
}

/** What changeTargets needs of a session. */
function sessionWith(options: Partial<Session['options']>, told: string[] = []): Session {
  const output = new Output(loadTexts('en'), true, { out: () => undefined, err: (line) => told.push(line) });
  const { signal } = new AbortController();
  const prompts = new Prompts(output, false, signal, () => undefined);
  return { output, prompts, signal, options: { inventory: 'x', yes: true, ...options } } as Session;
}

describe('a plan that fails', () => {
  it('stays as far as it came', async () => {
    const log: string[] = [];
    const [result] = await changeTargets(sessionWith({}), [{ kind: 'vm', name: 'db-1', plan: async () => failing(log) }]);
    assert.deepEqual(log, ['run files', 'run package']);
    assert.deepEqual([result?.ok, result?.changed, result?.code, result?.error?.code], [false, true, 1, 'host.unit']);
  });

  it('is taken back with --undo-on-failure, last step first, and fails all the same', async () => {
    const log: string[] = [];
    const session = sessionWith({ undoOnFailure: true });
    const [result] = await changeTargets(session, [{ kind: 'vm', name: 'db-1', plan: async () => failing(log) }]);
    assert.deepEqual(log, ['run files', 'run package', 'undo package', 'undo files']);
    assert.deepEqual([result?.ok, result?.changed, result?.code, result?.error?.code], [false, false, 1, 'host.unit']);
  });

  it('is left alone where it works', async () => {
    const log: string[] = [];
    const plan: Plan = { ...failing(log), steps: [step('files', log)] };
    const [result] = await changeTargets(sessionWith({ undoOnFailure: true }), [{ kind: 'vm', name: 'db-1', plan: async () => plan }]);
    assert.deepEqual([log, result?.ok, result?.changed], [['run files'], true, true]);
  });
});

describe('progress', () => {
  it('that repeats itself is told once', async () => {
    const told: string[] = [];
    const waits = step('checks', [], {
      run: async (options) => [1, 2, 1, 2].forEach((count) => options?.onProgress?.(message('plan.timeout', { seconds: count }))),
    });
    const plan: Plan = { id: 'join', title: text, hosts: [], steps: [waits] };
    await changeTargets(sessionWith({}, told), [{ kind: 'vm', name: 'db-1', plan: async () => plan }]);
    assert.deepEqual(
      [1, 2].map((seconds) => told.filter((line) => line.includes(`${seconds} s`)).length),
      [1, 1],
    );
  });
});
