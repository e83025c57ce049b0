/** Every command of the extension. A host test holds this list against package.json and against what is registered. */
export const commandIds = [
  'setUpCluster',
  'joinVm',
  'leaveMesh',
  'push',
  'compare',
  'rollBack',
  'check',
  'exposePorts',
  'renewCredentials',
  'upgradeSidecar',
  'newWorkloadGroup',
  'editWorkloadGroup',
  'registerService',
  'deregisterService',
  'adopt',
  'openInventory',
  'openTerminal',
  'openRemoteSsh',
  'openPlayground',
  'leavePlayground',
  'collectDiagnostics',
  'forgetHostKey',
  'showLog',
  'refresh',
  'filter',
  'retry',
  'signIn',
  'manageTrust',
  'openFile',
  'openEdit',
  'discardEdits',
  'keepEdit',
  'showChecks',
  'showObject',
  'revealField',
  'copyAddress',
] as const;

export type CommandId = (typeof commandIds)[number];

export const commandPrefix = 'meshExpansion.';

export function fullId(id: CommandId): string {
  return `${commandPrefix}${id}`;
}
