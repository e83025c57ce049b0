import js from '@eslint/js';
import tseslint from 'typescript-eslint';

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

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'out/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './src/views/webview/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/ban-ts-comment': 'error',
      'no-console': 'error',
      'no-control-regex': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
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
  { files: ['test/**/*.ts', 'scripts/**/*.ts', 'src/cli.ts', 'src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
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
