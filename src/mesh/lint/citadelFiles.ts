import { assignments, type Assignment } from '../host/envFile.ts';
import { CLUSTER_ENV } from '../citadel/clusterEnv.ts';
import { KUBEDNS } from '../citadel/dnsmasq.ts';
import { ROOT_CERT } from '../citadel/certificates.ts';
import { SIDECAR_ENV } from '../citadel/sidecarEnv.ts';
import { isAddress, isCidr, isPort } from '../names.ts';
import type { Finding } from '../model.ts';
import type { LintInput, LintRule } from './citadel.ts';
import { finding } from './finding.ts';

/** Rules over the generated files as they would be pushed, saved edits included (citadel facts 1, 4, 9). */

const DAY_MS = 86_400_000;
/** A self-signed root lives 365 days, and every certificate under it ends with it (facts 6, 9). */
const ROOT_LEFT_DAYS = 30;

function textOf({ files }: LintInput, path: string): string | undefined {
  const content = files.find((file) => file.path === path)?.content;
  return content?.kind === 'text' ? content.text : undefined;
}

function lastOf(input: LintInput, path: string, variable: string): Assignment | undefined {
  return assignments(textOf(input, path) ?? '').findLast((one) => one.variable === variable);
}

const at = (path: string, one: Assignment): Finding['at'] => ({ path, line: one.line, value: one.value });

/** Empty captures everything until 0.7 and nothing since 0.8 (facts 4). */
const serviceCidr: LintRule = (input) => {
  const text = textOf(input, CLUSTER_ENV);
  if (text === undefined) return [];
  const found = lastOf(input, CLUSTER_ENV, 'ISTIO_SERVICE_CIDR');
  if (found === undefined || found.value === '')
    return [finding('citadel.cidr-empty', 'error', { path: CLUSTER_ENV, line: found?.line ?? 0 })];
  const wrong = found.value === '*' ? undefined : found.value.split(',').find((cidr) => !isCidr(cidr));
  return wrong === undefined ? [] : [finding('citadel.cidr-invalid', 'error', at(CLUSTER_ENV, found), { cidr: wrong })];
};

/** The authentication's variable was renamed in 1.0; the start script of the other side ignores it (facts 1.2, 4). */
const authVariable: LintRule = (input) => {
  const written = input.facts.clusterEnv.find(({ value }) => value === 'auth')?.variable;
  const other = ['CONTROL_PLANE_AUTH_POLICY', 'ISTIO_CP_AUTH'].find((name) => name !== written);
  const found = other === undefined ? undefined : lastOf(input, CLUSTER_ENV, other);
  if (found !== undefined)
    return [
      finding('citadel.auth-variable', 'warning', at(CLUSTER_ENV, found), {
        found: found.variable,
        wanted: written ?? '-',
        release: input.scope.controlPlane.release,
      }),
    ];
  return [];
};

/** 0.8's script writes one name and its start script reads the other (facts 4). */
const authUnread: LintRule = (input) => {
  const written = input.facts.clusterEnv.find(({ value }) => value === 'auth')?.variable;
  const read = input.facts.authRead;
  if (written === undefined || read === undefined || read.variable === written) return [];
  const auth = lastOf(input, CLUSTER_ENV, written);
  if (auth === undefined || auth.value === read.unset || lastOf(input, SIDECAR_ENV, read.variable)?.value === auth.value) return [];
  return [
    finding('citadel.auth-unread', 'warning', at(CLUSTER_ENV, auth), {
      written,
      read: read.variable,
      unset: read.unset,
      value: auth.value,
    }),
  ];
};

/** Authentication against Pilot's port (facts 4). */
const authPort: LintRule = (input) => {
  const read = input.facts.authRead;
  if (read === undefined) return [];
  const auth = lastOf(input, CLUSTER_ENV, read.variable)?.value ?? lastOf(input, SIDECAR_ENV, read.variable)?.value;
  const set = lastOf(input, SIDECAR_ENV, 'ISTIO_PILOT_PORT');
  const port = set === undefined ? input.facts.pilotPort : Number(set.value);
  if (auth === 'NONE') {
    const wanted = input.facts.pilotPortFor.NONE;
    return wanted === undefined || port === wanted
      ? []
      : [finding('citadel.auth-port', 'error', { path: SIDECAR_ENV, line: set?.line }, { auth, port: port ?? 0, wanted })];
  }
  const wanted =
    auth === 'MUTUAL_TLS'
      ? input.facts.pilotPortFor.NONE === port && set !== undefined
        ? input.facts.pilotPort
        : input.facts.securePilotPort
      : undefined;
  return wanted === undefined || port === wanted
    ? []
    : [finding('citadel.auth-port', 'warning', { path: SIDECAR_ENV, line: set?.line }, { auth: auth ?? '', port: port ?? 0, wanted })];
};

/** Names that the release's sidecar asks for, and addresses that are none (facts 1.1). */
const kubednsNames: LintRule = (input) => {
  const text = textOf(input, KUBEDNS);
  if (text === undefined) return [];
  const found = text.split('\n').map((line, index) => ({ line: index, match: /^(server|address)=\/([^/]+)\/(.*)$/.exec(line) }));
  const wrong = found.flatMap(({ line, match }) =>
    match !== null && !isAddress(match[3]?.replace(/#\d+$/, '') ?? '')
      ? [finding('citadel.kubedns-address', 'error', { path: KUBEDNS, line, value: match[3] }, { name: match[2] ?? '' })]
      : [],
  );
  const present = new Set(found.map(({ match }) => match?.[2]));
  const { namespace } = input.scope.entry.istio;
  const wanted = [
    `svc.${input.scope.entry.clusterDomain}`,
    ...input.facts.kubednsNames.flatMap(({ name }) => [name, `${name}.${namespace}`]),
  ];
  const missing = wanted.filter((name) => !present.has(name));
  return [
    ...wrong,
    ...(missing.length > 0
      ? [
          finding(
            'citadel.kubedns-names',
            'warning',
            { path: KUBEDNS, line: 0 },
            { names: missing.join(', '), release: input.scope.controlPlane.release },
          ),
        ]
      : []),
  ];
};

/** The variable that sidecar.env's own comments name is read by nothing (facts 4). */
const excludePorts: LintRule = (input) => {
  const found = lastOf(input, SIDECAR_ENV, 'ISTIO_INBOUND_EXCLUDE_PORTS');
  return found === undefined ? [] : [finding('citadel.exclude-ports', 'warning', at(SIDECAR_ENV, found))];
};

const inboundPorts: LintRule = (input) => {
  const found = lastOf(input, SIDECAR_ENV, 'ISTIO_INBOUND_PORTS');
  if (found === undefined || found.value === '*' || found.value === '') return [];
  const ports = found.value.split(',');
  const wrong = ports.find((port) => !/^\d+$/.test(port) || !isPort(Number(port)));
  if (wrong !== undefined) return [finding('citadel.ports-invalid', 'error', at(SIDECAR_ENV, found), { port: wrong })];
  return ports.includes('22') && input.facts.capturesSshWhenListed ? [finding('citadel.port-22', 'warning', at(SIDECAR_ENV, found))] : [];
};

/** The start script sources sidecar.env first, the capture script cluster.env first: a variable in both means two things (facts 4). */
const bothFiles: LintRule = (input) => {
  const cluster = new Map(assignments(textOf(input, CLUSTER_ENV) ?? '').map((one) => [one.variable, one.value]));
  return assignments(textOf(input, SIDECAR_ENV) ?? '')
    .filter(({ variable, value }) => cluster.has(variable) && cluster.get(variable) !== value)
    .map((one) => finding('citadel.variable-in-both', 'warning', at(SIDECAR_ENV, one), { variable: one.variable }));
};

const namespaceMismatch: LintRule = (input) => {
  const found = lastOf(input, SIDECAR_ENV, input.facts.namespaceVariable);
  const wanted = input.scope.vm.namespace;
  return found === undefined || found.value === wanted
    ? []
    : [finding('citadel.namespace-mismatch', 'error', at(SIDECAR_ENV, found), { found: found.value, wanted })];
};

const addressMismatch: LintRule = (input) => {
  const found = lastOf(input, SIDECAR_ENV, 'ISTIO_SVC_IP');
  const { address } = input.scope;
  return found === undefined || address === undefined || found.value === address
    ? []
    : [finding('citadel.address-mismatch', 'error', at(SIDECAR_ENV, found), { found: found.value, wanted: address })];
};

const rootEnds: LintRule = ({ files, now }) => {
  const root = files.find(({ path }) => path === ROOT_CERT)?.content;
  if (root?.kind !== 'secret' || root.facts === undefined) return [];
  const days = Math.floor((Date.parse(root.facts.notAfter) - now.getTime()) / DAY_MS);
  return days >= ROOT_LEFT_DAYS ? [] : [finding('citadel.root-ends', 'warning', { path: ROOT_CERT }, { days, time: root.facts.notAfter })];
};

export const fileRules: readonly LintRule[] = [
  serviceCidr,
  authVariable,
  authUnread,
  authPort,
  kubednsNames,
  excludePorts,
  inboundPorts,
  bothFiles,
  namespaceMismatch,
  addressMismatch,
  rootEnds,
];
