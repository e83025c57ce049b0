import js from '@eslint/js';
import parser from '@typescript-eslint/parser';
import { defineConfig } from 'eslint/config';

const noVscode = {
  name: 'vscode',
  message: 'The core runs without an editor: only extension, commands, providers, views and editor may import vscode.',
};
const io = [
  'fs',
  'fs/promises',
  'net',
  'http',
  'https',
  'http2',
  'tls',
  'dgram',
  'dns',
  'dns/promises',
  'child_process',
  'os',
  'readline',
  'worker_threads',
];
const noIo = io
  .flatMap((name) => [name, `node:${name}`])
  .map((name) => ({ name, message: 'src/mesh is pure: no network, no disk, no process.' }));

/** Forbids a room to import the given modules (paths) and folders (patterns, relative to any depth). */
const room = (files, paths, groups) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths,
        patterns: groups.map(({ names, message }) => ({
          group: names.flatMap((name) => [`../${name}`, `../${name}/**`, `**/../${name}/**`, `./${name}/**`]),
          message,
        })),
      },
    ],
  },
});
const editorRooms = ['extension.ts', 'editor', 'providers', 'views', 'commands'];

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', 'out/', '**/*.d.ts'] },
  // Here TypeScript has only the rules of the rooms; all others are oxlint's (.oxlintrc.json), those that need types in a tenth of the time.
  { files: ['src/**/*.ts'], languageOptions: { parser } },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    ...js.configs.recommended,
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        Buffer: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
  room(
    ['src/mesh/**/*.ts'],
    [noVscode, ...noIo],
    [{ names: ['kube', 'ssh', 'playground', 'cli', ...editorRooms], message: 'src/mesh imports no other room.' }],
  ),
  room(
    ['src/mesh/citadel/**/*.ts'],
    [noVscode, ...noIo],
    [
      {
        names: ['kube', 'ssh', 'playground', 'cli', 'istiod', ...editorRooms],
        message: 'An era imports neither another room nor the other era.',
      },
    ],
  ),
  room(
    ['src/mesh/istiod/**/*.ts'],
    [noVscode, ...noIo],
    [
      {
        names: ['kube', 'ssh', 'playground', 'cli', 'citadel', ...editorRooms],
        message: 'An era imports neither another room nor the other era.',
      },
    ],
  ),
  room(
    ['src/mesh/host/**/*.ts', 'src/mesh/cluster/**/*.ts'],
    [noVscode, ...noIo],
    [
      {
        names: ['kube', 'ssh', 'playground', 'cli', 'citadel', 'istiod', ...editorRooms],
        message: 'What the eras share imports no era: an era tells it about itself (src/mesh/host/sidecar.ts).',
      },
    ],
  ),
  room(
    ['src/kube/**/*.ts'],
    [noVscode],
    [{ names: ['ssh', 'playground', 'cli', ...editorRooms], message: 'src/kube imports only src/mesh.' }],
  ),
  room(
    ['src/ssh/**/*.ts'],
    [noVscode],
    [{ names: ['kube', 'playground', 'cli', ...editorRooms], message: 'src/ssh imports only src/mesh.' }],
  ),
  room(
    ['src/playground/**/*.ts'],
    [noVscode],
    [{ names: ['kube', 'ssh', 'cli', ...editorRooms], message: 'src/playground imports only src/mesh.' }],
  ),
  room(['src/cli.ts', 'src/cli/**/*.ts'], [noVscode], [{ names: editorRooms, message: 'The command line runs without an editor.' }]),
  room(
    ['src/commands/**/*.ts', 'src/views/**/*.ts', 'src/providers/**/*.ts', 'src/editor/**/*.ts'],
    [],
    [{ names: ['kube', 'ssh', 'playground'], message: 'The editor rooms see ports, never what is behind one.' }],
  ),
);
