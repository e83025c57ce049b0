import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { ClusterApi, KubeObject, ObjectQuery, ServiceCidrs } from '../mesh/ports.ts';
import { isRecord, listAt, textAt } from './json.ts';
import { toKubeObject } from './objects.ts';
import { matchesFields, matchesLabels } from './selectors.ts';
import { cidrsOf, isCidr, serviceCidrUnknown } from './serviceCidrs.ts';
import { yamlProblem } from './yamlProblem.ts';

/**
 * A cluster as a YAML dump shows it: a List or a stream of documents, as `kubectl get ... -o yaml` prints it. `name` is what messages call it. Writes are refused with
 * `kube.snapshot`, and so is `version`. Throws `kube.snapshot-invalid` (bad input) naming the document.
 */
export function createSnapshotApi(yamlText: string, name: string): ClusterApi {
  const objects = parseObjects(yamlText, name);
  const select = ({ apiVersion, kind, namespace, labelSelector, fieldSelector }: ObjectQuery) =>
    objects.filter(
      (object) =>
        object.apiVersion === apiVersion &&
        object.kind === kind &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        matchesLabels(object, labelSelector) &&
        matchesFields(object, fieldSelector),
    );
  const refuse = async (): Promise<never> => {
    throw new MeshError({
      code: 'kube.snapshot',
      userMessage: message('kube.snapshot', { name }),
      nextStep: message('kube.snapshot.next'),
    });
  };
  return {
    context: name,
    version: refuse,
    get: async (ref) =>
      objects.find(
        (object) =>
          object.apiVersion === ref.apiVersion &&
          object.kind === ref.kind &&
          object.metadata.name === ref.name &&
          (ref.namespace === undefined || object.metadata.namespace === ref.namespace),
      ),
    list: async (query) => select(query),
    watch: async (query, onEvent, { signal, onListed }) => {
      for (const object of select(query)) onEvent({ type: 'ADDED', object });
      onListed?.();
      if (signal.aborted) return;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
    apply: refuse,
    create: refuse,
    replace: refuse,
    delete: refuse,
    createToken: refuse,
    // A dump denies nothing: what would change something is shown, and refused by the write itself.
    can: async (questions) => questions.map((question) => ({ ...question, allowed: true })),
    serviceCidrs: async () => serviceCidrsIn(objects, name),
    close: async () => undefined,
  };
}

function parseObjects(text: string, name: string): readonly KubeObject[] {
  const byKey = new Map<string, KubeObject>();
  const lines = new LineCounter();
  for (const [index, document] of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false }).entries()) {
    const problem = 'errors' in document ? document.errors[0] : undefined;
    if (problem !== undefined)
      throw invalid('kube.snapshot-invalid.yaml', { name, document: index + 1, text: yamlProblem(problem, lines) });
    const value = plain(document, { name, document: index + 1 });
    if (value === null || value === undefined) continue;
    for (const [position, entry] of entries(value).entries()) {
      const type = { apiVersion: textAt(entry, 'apiVersion') ?? '', kind: textAt(entry, 'kind') ?? '' };
      const read = type.apiVersion === '' || type.kind === '' ? undefined : toKubeObject(entry, type);
      if (read === undefined) throw invalid('kube.snapshot-invalid.object', { name, document: index + 1, item: position + 1 });
      const object = asServed(read);
      // Dumps of overlapping commands name an object twice; the later one is newer.
      byKey.set(JSON.stringify([object.apiVersion, object.kind, object.metadata.namespace ?? '', object.metadata.name]), object);
    }
  }
  // What kubectl could not read it does not print: an empty dump is no empty cluster.
  if (byKey.size === 0) throw invalid('kube.snapshot-invalid.empty', { name });
  return [...byKey.values()];
}

/** Value of a document; a bomb of aliases is refused by the library. */
function plain(document: Pick<Document, 'toJS'>, at: { readonly name: string; readonly document: number }): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw invalid('kube.snapshot-invalid.yaml', { ...at, text: error.message });
  }
}

const olderApps = ['extensions/v1beta1', 'apps/v1beta1', 'apps/v1beta2'];

/** A workload in the version that is asked for: until Kubernetes 1.15 kubectl printed Deployments and ReplicaSets in older ones. */
function asServed(object: KubeObject): KubeObject {
  const isOld = ['Deployment', 'ReplicaSet'].includes(object.kind) && olderApps.includes(object.apiVersion);
  return isOld ? { ...object, apiVersion: 'apps/v1' } : object;
}

/** The items of a List, of `ServiceList` as the API itself prints it, or the one object. */
function entries(value: unknown): readonly unknown[] {
  const kind = textAt(value, 'kind');
  if (!isRecord(value) || kind === undefined || !kind.endsWith('List') || !(value.items === null || Array.isArray(value.items)))
    return [value];
  const itemKind = kind.slice(0, -'List'.length);
  return listAt(value, 'items').map((item) =>
    itemKind === '' || !isRecord(item) ? item : { apiVersion: value.apiVersion, kind: itemKind, ...item },
  );
}

function invalid(id: string, args: Readonly<Record<string, string | number>>): MeshError {
  return new MeshError({
    code: 'kube.snapshot-invalid',
    kind: 'bad-input',
    userMessage: message(id, args),
    nextStep: message('kube.snapshot-invalid.next'),
    field: 'snapshot',
  });
}

/** From ServiceCIDR objects, else from the arguments of kube-apiserver's own pods; never guessed. */
function serviceCidrsIn(objects: readonly KubeObject[], name: string): ServiceCidrs {
  const served = cidrsOf(objects.filter((object) => object.kind === 'ServiceCIDR' && object.apiVersion.startsWith('networking.k8s.io/')));
  const cidrs = served.length > 0 ? served : [...new Set(objects.flatMap(apiServerRanges))];
  if (cidrs.length === 0) throw serviceCidrUnknown(name);
  return { cidrs, source: 'snapshot' };
}

function apiServerRanges(object: KubeObject): readonly string[] {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1') return [];
  const words = listAt(object.spec, 'containers')
    .flatMap((container) => [...listAt(container, 'command'), ...listAt(container, 'args')])
    .filter((word): word is string => typeof word === 'string');
  if (!words.some((word) => /(^|\/)kube-apiserver$/.test(word)) && object.metadata.labels?.component !== 'kube-apiserver') return [];
  const flag = '--service-cluster-ip-range';
  const value = words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1) ?? words[words.indexOf(flag) + 1];
  return words.some((word) => word.startsWith(flag))
    ? (value ?? '')
        .split(',')
        .map((cidr) => cidr.trim())
        .filter(isCidr)
    : [];
}
