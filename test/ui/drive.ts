import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Workbench } from './workbench.ts';

/** Of the whole jobs: what a reader of the documentation sees. */
export const screenshots = path.resolve(import.meta.dirname, '../../docs/screenshots');
/** Of single actions: to look at after a run. */
export const otherScreenshots = path.resolve(import.meta.dirname, '../../out/screenshots');

/** One step of a job in the workbench, and what must be so outside the editor when it is done. */
export interface DrivenStep {
  /** Also the name of its screenshot. */
  readonly name: string;
  run(workbench: Workbench): Promise<void>;
  /** Asked with kubectl and ssh, never of the extension. */
  holds?(): Promise<void>;
}

/** Declares a test for each step, in order: each begins where the one before ended, leaves a screenshot, and says what the screen showed when it fails. */
export function driveSteps(steps: readonly DrivenStep[], started: () => Workbench | undefined, folder = screenshots): void {
  let broken = false;
  before(() => void mkdirSync(folder, { recursive: true }));
  for (const step of steps) {
    it(step.name, async () => {
      const workbench = started();
      assert.ok(workbench);
      assert.ok(!broken, 'an earlier step failed');
      broken = true;
      try {
        await step.run(workbench);
      } catch (error) {
        await workbench.screenshot(path.join(process.env.RUNNER_TEMP ?? path.resolve('out'), `failed-${step.name}.png`));
        throw new Error(
          `${String(error)}\nThe rows of the tree:\n${(await workbench.treeTexts()).join('\n')}\nThe extension's log:\n${workbench.extensionLog()}`,
          { cause: error },
        );
      }
      await workbench.page.waitForTimeout(500);
      await workbench.screenshot(path.join(folder, `${step.name}.png`));
      rmSync(path.resolve('out', `failed-${step.name}.png`), { force: true });
      await step.holds?.();
      broken = false;
    });
  }
}
