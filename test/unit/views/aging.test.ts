import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { Held, VmFacts } from '../../../src/editor/facts.ts';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { VmCondition } from '../../../src/mesh/model.ts';
import { Aging } from '../../../src/views/aging.ts';

const NOON = Date.parse('2026-01-02T12:00:00Z');
const HOUR = 3_600_000;
const iso = (time: number) => new Date(time).toISOString();

interface Lives {
  readonly from?: number;
  readonly end?: number;
  readonly token?: number;
  readonly condition?: VmCondition;
}

/** A machine that answered at noon. */
function answered({ from, end, token, condition = 'in-sync' }: Lives): Held<VmFacts> {
  const certificate = {
    subject: '',
    issuer: '',
    uris: ['spiffe://cluster.local/ns/vm/sa/mysql'],
    notBefore: iso(from ?? 0),
    notAfter: iso(end ?? 0),
    fingerprint: '',
  };
  const files = end === undefined ? [] : [{ path: '/etc/certs/cert-chain.pem', exists: true, certificate }];
  const state = { files, units: [], packages: [], programs: {} } as unknown as VmFacts['state'];
  const summary = message('status.in-sync');
  const own = { condition, summary };
  return {
    loading: false,
    at: NOON,
    value: {
      vm: 'db-1',
      condition,
      summary,
      own,
      files: [],
      units: [],
      edited: [],
      state,
      certificateNotAfter: end === undefined ? undefined : iso(end),
      tokenExpiresAt: token === undefined ? undefined : iso(token),
    },
  };
}

describe('what time alone changes in the tree', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOON }));
  afterEach(() => mock.timers.reset());

  /** A tick of the fake clock tells every timer in it the time of its end. */
  const pass = (milliseconds: number): void => {
    for (let left = milliseconds; left > 0; left -= 60_000) mock.timers.tick(Math.min(left, 60_000));
  };

  function shown(held: Held<VmFacts>, workloadGroups: readonly object[] = []) {
    let current = held;
    let onChange: () => void = () => undefined;
    let onVisible: () => void = () => undefined;
    const asked: string[] = [];
    let drawn = 0;
    const view = {
      visible: true,
      onDidChangeVisibility: (listener: () => void) => ((onVisible = listener), { dispose: () => undefined }),
    };
    const facts = {
      onDidChange: (listener: () => void) => ((onChange = listener), { dispose: () => undefined }),
      known: () => ({ clusters: ['prod'], vms: ['db-1'] }),
      cluster: () => ({ loading: false, value: { loadBalancers: [], workloadGroups } }),
      vm: () => current,
      readVm: async () => {
        asked.push(iso(Date.now()));
        // As the shelf does it: who listens hears of the read while it begins.
        current = { ...current, loading: true };
        onChange();
        current = { ...current, loading: false, at: Date.now() };
        onChange();
        return current;
      },
    };
    const aging = new Aging(...([view, facts, () => (drawn += 1)] as unknown as ConstructorParameters<typeof Aging>));
    onChange();
    return {
      aging,
      asked,
      drawn: () => drawn,
      show: (visible: boolean) => {
        view.visible = visible;
        onVisible();
      },
    };
  }

  it('asks a machine once when its certificate is due, a quarter before its end, and once when it has ended', () => {
    const { asked, aging } = shown(answered({ from: NOON - 20 * HOUR, end: NOON + 4 * HOUR }));
    // A quarter of 24 h before 16:00 is past: it answered after that.
    pass(4 * HOUR);
    assert.deepEqual(asked, []);
    pass(1);
    assert.deepEqual(asked, ['2026-01-02T16:00:00.001Z']);
    pass(48 * HOUR);
    assert.equal(asked.length, 1);
    aging.dispose();

    mock.timers.setTime(NOON);
    const later = shown(answered({ from: NOON - 12 * HOUR, end: NOON + 12 * HOUR }));
    pass(6 * HOUR);
    pass(1);
    assert.deepEqual(later.asked, ['2026-01-02T18:00:00.001Z']);
    pass(6 * HOUR);
    assert.deepEqual(later.asked.slice(1), ['2026-01-03T00:00:00.001Z']);
    later.aging.dispose();
  });

  it('asks nobody while hidden, and makes up for it when shown again', () => {
    const { asked, show, aging } = shown(answered({ from: NOON - 20 * HOUR, end: NOON + 4 * HOUR }));
    show(false);
    pass(5 * HOUR);
    assert.deepEqual(asked, []);
    show(true);
    assert.deepEqual(asked, ['2026-01-02T17:00:00.000Z']);
    aging.dispose();
  });

  it('minds a token only where no certificate lasts', () => {
    const alone = shown(answered({ token: NOON + HOUR }));
    pass(HOUR);
    pass(1);
    pass(HOUR);
    assert.deepEqual(alone.asked, ['2026-01-02T13:00:00.001Z']);
    alone.aging.dispose();
    mock.timers.setTime(NOON);
    const certified = shown(answered({ from: NOON, end: NOON + 24 * HOUR, token: NOON + HOUR }));
    pass(2 * HOUR);
    assert.deepEqual(certified.asked, []);
    certified.aging.dispose();
  });

  it('leaves alone who was not asked, has not joined, or waits for a person', () => {
    const ended = { from: NOON - HOUR, end: NOON + HOUR };
    const error = new MeshError({ code: 'host.key-unknown', kind: 'person', userMessage: message('status.in-sync') });
    for (const held of [{ loading: false }, answered({ ...ended, condition: 'not-joined' }), { ...answered(ended), error }]) {
      mock.timers.setTime(NOON);
      const { asked, aging } = shown(held);
      pass(2 * HOUR);
      assert.deepEqual(asked, []);
      aging.dispose();
    }
  });

  it('draws anew when a claim goes stale and when a life is shown too long, without asking; a life of months does not keep it busy', () => {
    const stale = shown({ loading: false }, [{ entries: [{ membership: 'healthy', staleAt: iso(NOON + 45 * 60_000) }] }]);
    pass(45 * 60_000);
    assert.equal(stale.drawn(), 0);
    pass(1);
    assert.deepEqual([stale.drawn(), stale.asked], [1, []]);
    stale.aging.dispose();
    mock.timers.setTime(NOON);
    const hours = shown(answered({ from: NOON - 27.5 * HOUR, end: NOON + 22.5 * HOUR }));
    pass(HOUR);
    assert.ok(hours.drawn() >= 1 && hours.drawn() <= 5, String(hours.drawn()));
    hours.aging.dispose();
    mock.timers.setTime(NOON);
    const months = shown(answered({ from: NOON, end: NOON + 90 * 24 * HOUR }));
    pass(60_000);
    assert.ok(months.drawn() <= 2, String(months.drawn()));
    months.aging.dispose();
  });
});
