// Writes schemas/mesh-expansion.schema.json, the editor's completion for mesh-expansion.yaml, from the zod schema. Runs on any Node that esbuild runs on.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

export async function writeSchema() {
  const bundled = await build({
    absWorkingDir: root,
    entryPoints: ['src/mesh/inventorySchema.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  const { inventoryJsonSchema } = await import(
    `data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].contents).toString('base64')}`
  );
  mkdirSync(path.join(root, 'schemas'), { recursive: true });
  writeFileSync(path.join(root, 'schemas/mesh-expansion.schema.json'), `${JSON.stringify(inventoryJsonSchema(), null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeSchema();
