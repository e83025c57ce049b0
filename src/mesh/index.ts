/** The core as one bundle (dist/mesh.cjs), for who loads it when it is first needed. */
export { createMesh } from './createMesh.ts';
export { emptyInventory, parseInventory, readInventory } from './inventory.ts';
export { problemsOf } from './inventoryProblems.ts';
export * from './inventoryEdit.ts';
export { describeResult, previewPlan, runPlan, runPlans, undoPlan } from './planRunner.ts';
export { commandLine } from './shellWords.ts';
export { editFolderOf, editLocation, editOf, editOfText, formatBase, parseBase } from './edits.ts';
export { sha256 } from './hash.ts';
