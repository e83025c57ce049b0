import type { CommandId } from '../editor/commandIds.ts';
import { adopt } from './adopt.ts';
import { check } from './check.ts';
import { collectDiagnostics } from './collectDiagnostics.ts';
import type { Command } from './command.ts';
import { compare } from './compare.ts';
import { copyAddress } from './copyAddress.ts';
import { deregisterService } from './deregisterService.ts';
import { discardEdits, keepEdit } from './edits.ts';
import { editWorkloadGroup } from './editWorkloadGroup.ts';
import { exposePorts } from './exposePorts.ts';
import { filter } from './filter.ts';
import { forgetHostKey } from './forgetHostKey.ts';
import { joinVm } from './joinVm.ts';
import { leaveMesh } from './leaveMesh.ts';
import { manageTrust } from './manageTrust.ts';
import { newWorkloadGroup } from './newWorkloadGroup.ts';
import { openEdit } from './openEdit.ts';
import { openFile } from './openFile.ts';
import { openInventory } from './openInventory.ts';
import { leavePlayground, openPlayground } from './playground.ts';
import { openRemoteSsh } from './openRemoteSsh.ts';
import { openTerminal } from './openTerminal.ts';
import { push } from './push.ts';
import { refresh } from './refresh.ts';
import { registerService } from './registerService.ts';
import { renewCredentials } from './renewCredentials.ts';
import { retry } from './retry.ts';
import { revealField } from './revealField.ts';
import { rollBack } from './rollBack.ts';
import { setUpCluster } from './setUpCluster.ts';
import { showChecks } from './showChecks.ts';
import { showLog } from './showLog.ts';
import { showObject } from './showObject.ts';
import { signIn } from './signIn.ts';
import { upgradeSidecar } from './upgradeSidecar.ts';

/** One handler for every id; the type holds the list complete. */
export const commands: Readonly<Record<CommandId, Command>> = {
  adopt,
  check,
  collectDiagnostics,
  compare,
  copyAddress,
  deregisterService,
  discardEdits,
  editWorkloadGroup,
  exposePorts,
  filter,
  forgetHostKey,
  joinVm,
  keepEdit,
  leaveMesh,
  leavePlayground,
  manageTrust,
  newWorkloadGroup,
  openEdit,
  openFile,
  openInventory,
  openPlayground,
  openRemoteSsh,
  openTerminal,
  push,
  refresh,
  registerService,
  renewCredentials,
  retry,
  revealField,
  rollBack,
  setUpCluster,
  showChecks,
  showLog,
  showObject,
  signIn,
  upgradeSidecar,
};
