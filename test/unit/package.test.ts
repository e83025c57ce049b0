import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';

interface Package {
  readonly bin?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly packages?: Readonly<
    Record<
      string,
      {
        readonly os?: readonly string[];
        readonly cpu?: readonly string[];
        readonly optional?: boolean;
        readonly peerDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

const read = (file: string): Package => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')) as Package;

describe('package.json', () => {
  it('installs the command that the README names, from the file that the build writes', () => {
    assert.deepEqual(read('package.json').bin, { 'mesh-expansion': 'dist/cli.cjs' });
  });

  it('names no package that nothing imports or runs', () => {
    const folder = new URL('../..', import.meta.url).pathname;
    const files = globSync(['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs', '*.mjs', 'tsconfig.json', '.prettierrc.json'], {
      cwd: folder,
    });
    const text = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8')).join('\n');
    const used = (name: string): boolean =>
      [name, name.replace('/', `', '`)].some((word) =>
        ["'", '"', '/'].some((end) => ["'", '"', '/'].some((begin) => text.includes(`${begin}${word}${end}`))),
      );
    const names = Object.keys(read('package.json').devDependencies);
    const { packages = {} } = read('package-lock.json');
    // What is used wants it beside itself, as ESLint's rules for TypeScript want a compiler.
    const peers = names.filter(used).flatMap((name) => Object.keys(packages[`node_modules/${name}`]?.peerDependencies ?? {}));
    // Types are used by the compiler alone.
    const unused = names.filter((name) => !name.startsWith('@types/') && !used(name) && !peers.includes(name));
    assert.deepEqual(unused, []);
  });

  it('can be installed on any platform: what is made for one is optional', () => {
    const bound = Object.entries(read('package-lock.json').packages ?? {}).filter(
      ([, entry]) => (entry.os ?? entry.cpu) !== undefined && entry.optional !== true,
    );
    assert.deepEqual(bound, []);
  });
});
