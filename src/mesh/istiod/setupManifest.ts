import { Document, LineCounter, parseAllDocuments } from 'yaml';
import { at, stringsAt, textAt } from '../cluster/untrusted.ts';
import type { MeshError } from '../errors.ts';
import { message } from '../messages.ts';
import type { ClusterEntry } from '../model.ts';
import type { KubeObject } from '../ports.ts';
import { problem } from '../problem.ts';
import { NETWORKING } from './groupObject.ts';

/** Path that errors about the manifest carry. */
export const MANIFEST = 'expose-istiod.yaml';

const KINDS = ['Gateway', 'VirtualService'];

/** The objects as a YAML stream for people to read and edit; empty where nothing is missing. */
export function manifestText(objects: readonly KubeObject[], revision: string): string {
  if (objects.length === 0) return '';
  const head = [
    `# By these VMs reach istiod (revision ${revision}) through the east-west gateway: TLS is passed on as it is, istiod itself answers it.`,
    '# Kinds and the namespace are fixed; everything else may be changed.',
  ];
  const documents = objects.map((object) => `---\n${new Document(object, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 })}`);
  return `${head.join('\n')}\n${documents.join('')}`;
}

/** The objects as a person edited them. Throws `istiod.manifest` (bad-input) with the line. */
export function parseManifest(text: string, { istio: { namespace } }: ClusterEntry): readonly KubeObject[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const documents = Array.isArray(parsed) ? parsed : [];
  return documents.flatMap((document) => {
    const line = lines.linePos(document.contents?.range[0] ?? document.range[0]).line;
    const [error] = document.errors;
    if (error !== undefined) throw refused('syntax', error.linePos?.[0].line ?? line, { text: error.message.split('\n')[0] ?? '' });
    const object = document.toJS({ maxAliasCount: 20 }) as unknown;
    if (object === null || object === undefined) return [];
    return [applicable(object, namespace, line)];
  });
}

function applicable(object: unknown, namespace: string, line: number): KubeObject {
  const apiVersion = textAt(object, 'apiVersion') ?? '?';
  const kind = textAt(object, 'kind') ?? '?';
  const name = textAt(object, 'metadata', 'name') ?? '';
  if (!KINDS.includes(kind) || !apiVersion.startsWith(`${NETWORKING}/`)) throw refused('kind', line, { kind: `${apiVersion} ${kind}` });
  if (name === '') throw refused('name', line, { kind });
  const found = textAt(object, 'metadata', 'namespace') ?? '';
  if (found !== namespace) throw refused('namespace', line, { name, namespace, found });
  const labels = stringsAt(object, 'metadata', 'labels');
  const annotations = stringsAt(object, 'metadata', 'annotations');
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: at(object, 'spec'),
  };
}

function refused(rule: string, line: number, args: Readonly<Record<string, string>>): MeshError {
  return problem(
    'istiod.manifest',
    { ...args, line },
    { id: `istiod.manifest.${rule}`, kind: 'bad-input', field: `${MANIFEST}:${line}`, next: message('istiod.manifest.next') },
  );
}
