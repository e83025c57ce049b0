import type { GeneratedFile } from '../model.ts';
import { CLUSTER_ENV, MESH } from '../istiod/paths.ts';
import { finding } from './finding.ts';
import type { LintInput, LintRule } from './istiod.ts';

/** Rules over the files, edits of a person included (istiod facts 1.6, 2.5). */

/** Line and value of a variable of cluster.env, quotes taken off. */
export function variable(files: readonly GeneratedFile[], key: string): { readonly value: string; readonly line: number } | undefined {
  const lines = textOf(files, CLUSTER_ENV).split('\n');
  const line = lines.findLastIndex((one) => one.startsWith(`${key}=`));
  const text = lines[line];
  return text === undefined ? undefined : { value: text.slice(key.length + 1).replace(/^(['"])(.*)\1$/, '$2'), line };
}

function textOf(files: readonly GeneratedFile[], path: string): string {
  const content = files.find((file) => file.path === path)?.content;
  return content?.kind === 'text' ? content.text : '';
}

const ports = (value: string): readonly number[] => value.split(',').map((one) => Number(one.trim()));

/** All inbound ports but the excluded ones, or only those that are named (istiod facts 2.5). */
function isCaptured(files: readonly GeneratedFile[], port: number): boolean {
  const inbound = variable(files, 'ISTIO_INBOUND_PORTS')?.value ?? '';
  const excluded = ports(variable(files, 'ISTIO_LOCAL_EXCLUDE_PORTS')?.value ?? '');
  return inbound === '*' ? !excluded.includes(port) : ports(inbound).includes(port);
}

/** Since 1.13 only cluster.env keeps SSH out of capture. */
const sshCaptured: LintRule = ({ files }) => {
  if (textOf(files, CLUSTER_ENV) === '' || !isCaptured(files, 22)) return [];
  const at = variable(files, 'ISTIO_LOCAL_EXCLUDE_PORTS') ?? variable(files, 'ISTIO_INBOUND_PORTS');
  return [finding('istiod.ssh-captured', 'error', { path: CLUSTER_ENV, ...(at === undefined ? {} : { line: at.line, value: at.value }) })];
};

/** Seen: healthy while nothing listened (recipes, istiod). */
const probeCaptured: LintRule = ({ files, scope }) => {
  const lines = textOf(files, MESH).split('\n');
  const start = lines.findIndex((line) => /^\s*tcpSocket:/.test(line));
  const line = lines.findIndex((one, index) => index > start && /^\s*port: \d+/.test(one));
  const port = Number(/port: (\d+)/.exec(lines[line] ?? '')?.[1]);
  if (start < 0 || Number.isNaN(port) || !isCaptured(files, port)) return [];
  return [finding('istiod.probe-captured', 'warning', { path: MESH, line: start }, { port, group: scope.vm.workloadGroup ?? '' })];
};

/** Nothing in the inventory calls the VM: a Service has to select its labels (istiod facts 3.5). */
const unselected: LintRule = ({ scope }: LintInput) => {
  const { vm, inventory } = scope;
  if (inventory.services.some(({ cluster, vms }) => cluster === vm.cluster && vms.includes(vm.name))) return [];
  const index = inventory.vms.findIndex(({ name }) => name === vm.name);
  return [finding('istiod.unselected', 'info', { path: `vms[${index}].name`, value: vm.name }, { vm: vm.name })];
};

export const fileRules: readonly LintRule[] = [sshCaptured, probeCaptured, unselected];
