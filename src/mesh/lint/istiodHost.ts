import { fileOf, installedVersion, unitOf } from '../host/hostState.ts';
import { isLoopback, nameLookupOf, processAt } from '../istiod/nameLookup.ts';
import { CERT_CHAIN, CLUSTER_ENV, HOSTS, TOKEN, UNIT } from '../istiod/paths.ts';
import { minorOf, plainRelease } from '../istiod/release.ts';
import { PACKAGE } from '../istiod/sidecar.ts';
import { finding } from './finding.ts';
import type { LintRule } from './istiod.ts';
import { variable } from './istiodFiles.ts';

/** Rules over what the VM answered (istiod facts 0.4, 2.3, 2.5, 5). */

const CLOCK_SECONDS = 60;
/** The agent renews at half of a certificate's life (istiod facts 2.4): with less than this left it evidently does not. */
const NEAR_END = 0.25;

const credentials: LintRule = ({ state, scope, now }) => {
  const certificate = state === undefined ? undefined : fileOf(state, CERT_CHAIN)?.certificate;
  if (state?.manifest === undefined || certificate === undefined) return [];
  const { vm } = scope;
  const [begins, ends] = [Date.parse(certificate.notBefore), Date.parse(certificate.notAfter)];
  const left = ends - now.getTime();
  const at = { path: CERT_CHAIN };
  if (left > NEAR_END * (ends - begins)) return [];
  if (left > 0) return [finding('istiod.certificate-not-renewed', 'warning', at, { vm: vm.name, time: certificate.notAfter })];
  const token = fileOf(state, TOKEN)?.token;
  if (token === undefined || Date.parse(token.expiresAt) <= now.getTime())
    return [finding('istiod.token-expired', 'error', { path: TOKEN }, { vm: vm.name })];
  return [finding('istiod.certificate-expired', 'error', at, { vm: vm.name, time: certificate.notAfter })];
};

const clock: LintRule = ({ state, scope }) => {
  const seconds = Math.round(state?.facts?.clockOffsetSeconds ?? 0);
  return Math.abs(seconds) <= CLOCK_SECONDS
    ? []
    : [finding('istiod.clock', 'warning', { path: 'host.clock' }, { vm: scope.vm.name, seconds })];
};

/** The package enables nothing: a reboot ends the membership (istiod facts 2.1). */
const notEnabled: LintRule = ({ state, scope }) => {
  const unit = state?.manifest === undefined ? undefined : unitOf(state, UNIT);
  return unit?.load !== 'loaded' || unit.enabled === 'enabled'
    ? []
    : [finding('istiod.not-enabled', 'warning', { path: `units.${UNIT}` }, { vm: scope.vm.name })];
};

/** What keeps names from programs although DNS is captured (istiod facts 2.5, 5); a resolver on loopback alone does not. */
const names: LintRule = ({ state, scope, files }) => {
  const lookup = nameLookupOf(state);
  const capture = variable(files, 'ISTIO_META_DNS_CAPTURE');
  if (state === undefined || lookup === undefined || capture?.value !== 'true') return [];
  const { servers, pastDns } = lookup;
  const at = { path: CLUSTER_ENV, ...capture };
  const args = { vm: scope.vm.name };
  const local = servers.find(isLoopback);
  const other = servers.find((server) => !isLoopback(server));
  return [
    ...(servers.length === 0 ? [finding('istiod.dns-no-server', 'error', at, args)] : []),
    ...(pastDns ? [finding('istiod.dns-past', 'warning', at, args)] : []),
    ...(local !== undefined && other !== undefined
      ? [finding('istiod.dns-loop', 'warning', at, { ...args, local, other, process: processAt(state, local) })]
      : []),
  ];
};

/** cloud-init says it in the file that it makes anew at every start of the machine (its template hosts.debian.tmpl and its likes). */
const hostsRewritten: LintRule = ({ state, scope }) =>
  /^# Your system has configured 'manage_etc_hosts' as True/m.test(fileOf(state, HOSTS)?.text ?? '')
    ? [finding('istiod.hosts-rewritten', 'warning', { path: HOSTS }, { vm: scope.vm.name })]
    : [];

const addressNotFirst: LintRule = ({ state, scope, files }) => {
  const first = state?.facts?.addresses[0]?.address;
  const address = variable(files, 'ISTIO_SVC_IP')?.value ?? scope.address;
  return first === undefined || address === undefined || scope.vm.externalAddress !== undefined || address === first
    ? []
    : [finding('istiod.address-not-first', 'info', { path: 'host.addresses', value: address }, { vm: scope.vm.name, address, first })];
};

const skew: LintRule = ({ state, scope }) => {
  const version = state === undefined ? undefined : plainRelease((installedVersion(state, PACKAGE) ?? '').replace(/^\d+:/, ''));
  if (version === undefined) return [];
  const { release } = scope.controlPlane;
  const [[major, minor], [itsMajor, itsMinor]] = [minorOf(version), minorOf(release)];
  const ahead = major === itsMajor ? minor - itsMinor : major - itsMajor;
  if (ahead <= 0 && ahead >= -1) return [];
  const args = { vm: scope.vm.name, version, release };
  return [
    finding(ahead > 0 ? 'istiod.version-ahead' : 'istiod.version-behind', 'warning', { path: `packages.${PACKAGE}`, value: version }, args),
  ];
};

export const hostRules: readonly LintRule[] = [credentials, clock, notEnabled, names, hostsRewritten, addressNotFirst, skew];
