import assert from 'node:assert/strict';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { Plan, Step } from '../../../src/mesh/plan.ts';
import { describeResult, previewPlan, runPlan, runPlans, undoPlan } from '../../../src/mesh/planRunner.ts';

/** A world of facts and a log; each step makes its own fact true. */
function world() {
  const facts = new Set<string>();
  const log: string[] = [];
  const step = (id: string, more: Partial<Step> = {}): Step => ({
    id,
    title: message(id),
    target: 'db-1',
    preview: async () => ({ needed: !facts.has(id), details: [] }),
    run: async () => {
      log.push(`run ${id}`);
      facts.add(id);
    },
    undo: async () => {
      log.push(`undo ${id}`);
      facts.delete(id);
    },
    ...more,
  });
  const plan = (...steps: Step[]): Plan => ({ id: 'join', title: message('join'), hosts: ['db-1'], steps });
  return { facts, log, step, plan };
}

const broken = async (): Promise<void> => {
  throw new MeshError({ code: 'host.lost', userMessage: message('host.lost') });
};

describe('runPlan', () => {
  it('runs the steps in order, and a second run changes nothing', async () => {
    const { log, step, plan } = world();
    const both = plan(step('a'), step('b'));
    const first = await runPlan(both);
    assert.deepEqual([first.ok, first.changed, first.states], [true, true, ['done', 'done']]);
    const second = await runPlan(both);
    assert.deepEqual([second.ok, second.changed, second.states], [true, false, ['unchanged', 'unchanged']]);
    assert.deepEqual(log, ['run a', 'run b']);
    assert.equal(describeResult(second).id, 'plan.state.unchanged');
  });

  it('stops at a failure, names the state, and resumes where it stopped', async () => {
    const { log, step, plan } = world();
    const failed = await runPlan(plan(step('a'), step('b', { run: broken }), step('c')));
    assert.deepEqual(
      [failed.ok, failed.changed, failed.states, failed.error?.code],
      [false, true, ['done', 'failed', 'waiting'], 'host.lost'],
    );
    assert.deepEqual(describeResult(failed), { id: 'plan.state.stopped', args: { done: 1, total: 3, at: 2 } });
    const resumed = await runPlan(plan(step('a'), step('b'), step('c')));
    assert.deepEqual(resumed.states, ['unchanged', 'done', 'done']);
    assert.deepEqual(log, ['run a', 'run b', 'run c']);
  });

  it('says that no step changed anything when the first step fails', async () => {
    const { step, plan } = world();
    const failed = await runPlan(plan(step('a', { preview: async () => Promise.reject(new Error('boom')) }), step('b')));
    assert.deepEqual(
      [failed.changed, failed.error?.code, describeResult(failed).id],
      [false, 'unexpected', 'plan.state.stopped-unchanged'],
    );
  });

  it('cancels the running step and starts no other', async () => {
    const { log, step, plan } = world();
    const control = new AbortController();
    const waits = step('b', {
      run: (options) =>
        new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => reject(new Error('killed')));
          control.abort();
        }),
    });
    const result = await runPlan(plan(step('a'), waits, step('c')), { signal: control.signal });
    assert.deepEqual([result.states, result.error?.code, result.error?.kind], [['done', 'cancelled', 'waiting'], 'cancelled', 'cancelled']);
    assert.deepEqual(log, ['run a']);
  });

  it('runs nothing under a signal that is aborted already', async () => {
    const { log, step, plan } = world();
    const result = await runPlan(plan(step('a')), { signal: AbortSignal.abort() });
    assert.deepEqual([result.states, result.error?.kind, log], [['cancelled'], 'cancelled', []]);
  });

  it('ends a step at its time limit', async () => {
    const { step, plan } = world();
    const slow = step('a', {
      run: (options) =>
        new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error))),
    });
    const keepAlive = setInterval(() => undefined, 10);
    const result = await runPlan(plan(slow), { timeoutMs: 20 });
    clearInterval(keepAlive);
    assert.deepEqual([result.states, result.error?.code], [['failed'], 'plan.timeout']);
  });

  it('tells each step and its progress', async () => {
    const { step, plan } = world();
    const seen: string[] = [];
    const talks = step('a', { run: async (options) => options?.onProgress?.(message('half')) });
    await runPlan(plan(talks, step('b')), {
      onEvent: ({ index, total, state, progress }) => seen.push(`${index + 1}/${total} ${state}${progress ? ` ${progress.id}` : ''}`),
    });
    assert.deepEqual(seen, ['1/2 running', '1/2 running half', '1/2 done', '2/2 running', '2/2 done']);
  });
});

describe('undoPlan', () => {
  it('takes back what was done, last first, and nothing else', async () => {
    const { facts, log, step, plan } = world();
    facts.add('b');
    const result = await runPlan(plan(step('a'), step('b'), step('c'), step('d', { run: broken })));
    log.length = 0;
    const undone = await undoPlan(result);
    assert.deepEqual(log, ['undo c', 'undo a']);
    assert.deepEqual([undone.ok, undone.changed, undone.states], [true, false, ['undone', 'unchanged', 'undone', 'failed']]);
    assert.deepEqual([...facts], ['b']);
  });

  it('goes on after an undo that fails, and keeps what has none', async () => {
    const { log, step, plan } = world();
    const result = await runPlan(plan(step('a'), step('b', { undo: broken }), step('c', { undo: undefined })));
    log.length = 0;
    const undone = await undoPlan(result);
    assert.deepEqual(
      [undone.ok, undone.error?.code, undone.states, log],
      [false, 'host.lost', ['undone', 'undo-failed', 'done'], ['undo a']],
    );
    assert.deepEqual(describeResult(undone).args, { undone: 1, kept: 2 });
  });
});

describe('previewPlan and runPlans', () => {
  it('previews without running', async () => {
    const { facts, log, step, plan } = world();
    facts.add('a');
    const preview = await previewPlan(plan(step('a'), step('b')));
    assert.deepEqual([preview.needed, preview.steps.map((one) => one.preview.needed), log], [true, [false, true], []]);
  });

  it('keeps the order of the plans, the limit, and the good ones beside a bad one', async () => {
    let running = 0;
    let most = 0;
    const { step, plan } = world();
    const slow = (id: string, fails = false) =>
      plan(
        step(id, {
          run: async () => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setTimeout(resolve, 5));
            running -= 1;
            if (fails) await broken();
          },
        }),
      );
    const results = await runPlans([slow('a'), slow('b', true), slow('c'), slow('d')], { concurrency: 2 });
    assert.deepEqual(
      results.map((result) => result.ok),
      [true, false, true, true],
    );
    assert.equal(most, 2);
  });
});
