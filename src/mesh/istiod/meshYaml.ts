import type { GeneratedFile, ValueSource } from '../model.ts';
import { yamlLines } from './goYaml.ts';
import type { MeshData } from './meshData.ts';
import { MESH, OWNER, UNIT } from './paths.ts';
import type { ProxyConfig } from './proxyConfig.ts';

/** The proxy's configuration as the agent reads it: `defaultConfig` and nothing else of the mesh (istiod facts 1.5). */
export function meshFile(mesh: MeshData, { fields, metadata, fieldSources, metadataSources }: ProxyConfig, readAt: string): GeneratedFile {
  const lines = yamlLines({ defaultConfig: fields });
  const sourceOf = (path: readonly string[]): ValueSource => {
    const [, field = '', key = ''] = path;
    const from = (field === 'proxyMetadata' && key !== '' ? metadataSources[key] : fieldSources[field]) ?? {
      kind: 'object',
      object: mesh.ref,
      field: 'data.mesh: defaultConfig',
    };
    return { value: metadata[key] ?? field, from, readAt };
  };
  return {
    path: MESH,
    mode: 0o644,
    owner: OWNER,
    group: OWNER,
    content: {
      kind: 'text',
      text: lines.map(({ text }) => `${text}\n`).join(''),
      sources: lines.map(({ path }) => [sourceOf(path)]),
    },
    readBy: [UNIT],
    editable: true,
  };
}
