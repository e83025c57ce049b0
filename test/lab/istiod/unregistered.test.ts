// A machine whose entry is made for it, and joins that end half-way: nothing stays. kubectl, and root on the machine, are the only witnesses.
import assert from 'node:assert/strict';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import { runPlan, undoPlan } from '../../../src/mesh/planRunner.ts';
import { runEcho, stopEcho } from '../echo.ts';
import { istiodLab, type Lab } from '../env.ts';
import { startIstiod, stopIstiod } from '../istiodControl.ts';
import { applyGroup, deleteGroup, echoGroup, entriesIn, exposeIstiod, hideIstiod, type WorkloadEntry } from '../support/istiodGuide.ts';
import { expectAsBefore, snapshotOf, type Snapshot } from '../support/machineSnapshot.ts';
import { groupMesh } from '../support/vmMesh.ts';

const VM = 'vm-2';
const PORT = 3306;
const GROUP = echoGroup('mysql', PORT);

describe('a machine that does not register itself', function () {
  this.timeout(180_000);
  let lab: Lab;
  let mesh: Mesh;
  let asItWas: Snapshot;
  const root = async (script: string): Promise<string> => (await lab.onMachine(VM, ['sh', '-ec', script])).stdout.trim();
  const entries = (): Promise<readonly WorkloadEntry[]> => entriesIn(lab, 'vm');

  before(async () => {
    lab = await istiodLab();
    await exposeIstiod(lab);
    await applyGroup(lab, GROUP);
    await runEcho(lab, VM, PORT);
    mesh = groupMesh(lab, GROUP, [VM], { autoRegister: false });
    asItWas = await snapshotOf(lab, VM);
  });

  after(async () => {
    await mesh.close();
    await stopEcho(lab, VM, PORT);
    await deleteGroup(lab, GROUP);
    await hideIstiod(lab);
  });

  const expectAsItWas = async (): Promise<void> => {
    await expectAsBefore(lab, VM, asItWas);
    assert.deepEqual(await entries(), []);
  };

  it('is taken back as it was when the join fails at the end and is undone', async () => {
    await stopIstiod(lab);
    const hasty = groupMesh(lab, GROUP, [VM], { autoRegister: false }, 3);
    try {
      const failed = await runPlan(await hasty.planJoin(VM, { package: { kind: 'file', path: lab.sidecarPackage } }));
      assert.equal(failed.error?.code, 'istiod.not-connected');
      const undone = await undoPlan(failed);
      assert.equal(undone.ok, true, JSON.stringify(undone.error));
    } finally {
      await hasty.close();
      await startIstiod(lab);
    }
    await root('rm -rf /var/log/istio');
    await expectAsItWas();
  });

  for (const last of ['package', 'files', 'units'])
    it(`leaves as it was after a join that broke off behind its step ${last}`, async () => {
      const broken = new AbortController();
      const plan = await mesh.planJoin(VM, { package: { kind: 'file', path: lab.sidecarPackage } });
      const { states, error } = await runPlan(plan, {
        signal: broken.signal,
        onEvent: ({ step, state }) => {
          if (step.id === last && state === 'done') broken.abort();
        },
      });
      assert.equal(error?.kind, 'cancelled');
      assert.equal(states[plan.steps.findIndex(({ id }) => id === last)], 'done', states.join(' '));
      const leave = await runPlan(await mesh.planLeave(VM));
      assert.equal(leave.error, undefined, JSON.stringify(leave.error));
      await expectAsItWas();
    });

  it('gets an entry that is healthy, once; leaving takes it away', async () => {
    const join = await runPlan(await mesh.planJoin(VM, { package: { kind: 'url', url: lab.sidecarPackageUrl } }));
    assert.equal(join.error, undefined, JSON.stringify(join.error));
    const [one, ...others] = await entries();
    assert.deepEqual([others, one?.spec.address], [[], lab.machine(VM).address]);
    assert.equal(one?.metadata.annotations?.['istio.io/autoRegistrationGroup'], undefined);
    assert.equal(one?.status?.conditions?.find(({ type }) => type === 'Healthy')?.status, 'True');
    assert.equal((await runPlan(await mesh.planJoin(VM))).changed, false);
    const leave = await runPlan(await mesh.planLeave(VM));
    assert.equal(leave.error, undefined, JSON.stringify(leave.error));
    await expectAsItWas();
    assert.equal((await runPlan(await mesh.planLeave(VM))).changed, false);
  });
});
