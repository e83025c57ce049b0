import { CERT_CHAIN, KEY } from '../citadel/certificates.ts';
import { packageDefect, unitNames } from '../citadel/sidecar.ts';
import { unitOf } from '../host/hostState.ts';
import { RESOLV_CONF } from '../citadel/resolver.ts';
import { SIDECAR_ENV } from '../citadel/sidecarEnv.ts';
import type { LintRule } from './citadel.ts';
import { finding } from './finding.ts';

/** Rules over what the VM answered (citadel facts 2, 4, 6, 8, 9). */

const CLOCK_SECONDS = 60;

const keyMode: LintRule = ({ state }) => {
  const key = state?.files.find(({ path, exists }) => path === KEY && exists);
  const mode = key?.mode === undefined ? undefined : key.mode & 0o7777;
  return mode === undefined || mode === 0o600
    ? []
    : [finding('citadel.key-mode', 'error', { path: KEY }, { mode: mode.toString(8).padStart(4, '0') })];
};

/** The scripts enable no unit: a reboot ends the mesh (facts 2, 8.24). */
const notEnabled: LintRule = ({ state, facts }) =>
  state?.manifest === undefined
    ? []
    : unitNames(facts).flatMap((name) => {
        const unit = unitOf(state, name);
        return unit?.load === 'loaded' && unit.enabled !== 'enabled'
          ? [finding('citadel.unit-not-enabled', 'warning', { path: `units.${name}` }, { unit: name })]
          : [];
      });

const expired: LintRule = ({ state, now }) => {
  const certificate = state?.files.find(({ path }) => path === CERT_CHAIN)?.certificate;
  if (certificate === undefined || certificate.notAfter === '' || Date.parse(certificate.notAfter) > now.getTime()) return [];
  return [finding('citadel.certificate-expired', 'error', { path: CERT_CHAIN }, { time: certificate.notAfter })];
};

const identity: LintRule = ({ state, scope }) => {
  const uris = state?.files.find(({ path }) => path === CERT_CHAIN)?.certificate?.uris ?? [];
  const wanted = `/ns/${scope.vm.namespace}/sa/${scope.vm.serviceAccount}`;
  return uris.length === 0 || uris.some((uri) => uri.endsWith(wanted))
    ? []
    : [finding('citadel.certificate-identity', 'error', { path: CERT_CHAIN }, { found: uris.join(', '), wanted })];
};

const defectPackage: LintRule = ({ state, facts }) =>
  (state?.packages ?? []).flatMap(({ name, version }) =>
    version !== undefined && facts.packages.includes(name) && packageDefect(version) !== undefined
      ? [finding('citadel.package-defect', 'error', { path: `packages.${name}`, value: version }, { name, version })]
      : [],
  );

/** The start script shuts IPv6 out, established connections excepted (facts 4). */
const ipv6LockOut: LintRule = ({ state, facts }) => {
  const address = facts.ipv6Rules.length === 0 ? undefined : state?.facts?.addresses.find((one) => one.address.includes(':'))?.address;
  return address === undefined
    ? []
    : [finding('citadel.ipv6-lock-out', 'warning', { path: 'host.addresses', value: address }, { address })];
};

const clock: LintRule = ({ state }) => {
  const seconds = Math.round(state?.facts?.clockOffsetSeconds ?? 0);
  return Math.abs(seconds) <= CLOCK_SECONDS ? [] : [finding('citadel.clock', 'warning', { path: 'host.clock' }, { seconds })];
};

/** Without ISTIO_SVC_IP the start script takes what /etc/hosts says of the host name (facts 4). */
const guessedAddress: LintRule = ({ state, scope }) => {
  const guess = state?.facts?.hostnameAddress;
  return guess === undefined || scope.address !== undefined || !guess.startsWith('127.')
    ? []
    : [finding('citadel.address-guessed', 'warning', { path: SIDECAR_ENV }, { address: guess })];
};

/** A plain resolv.conf that another program writes: it will be written again (pain 1). */
const rewritten: LintRule = ({ state }) => {
  const text = state?.files.find(({ path }) => path === RESOLV_CONF)?.text ?? '';
  const program = /^#.*(NetworkManager|resolvconf|connman|dhcpcd|cloud-init)/im.exec(text)?.[1];
  return program === undefined || state?.facts?.resolvConf.kind !== 'file'
    ? []
    : [finding('citadel.resolver-rewritten', 'warning', { path: RESOLV_CONF }, { program })];
};

export const hostRules: readonly LintRule[] = [
  rewritten,
  keyMode,
  notEnabled,
  expired,
  identity,
  defectPackage,
  ipv6LockOut,
  clock,
  guessedAddress,
];
