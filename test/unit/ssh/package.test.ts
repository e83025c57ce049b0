import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { isMeshError } from '../../../src/mesh/errors.ts';
import { readDebControl } from '../../../src/ssh/debControl.ts';
import { createPackageFetcher, sidecarUrl } from '../../../src/ssh/packageFetcher.ts';

/** Packages made by dpkg-deb. */
describe('a package', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'package-'));
  const built = new Map<string, Buffer>();
  let server: Server;
  let site: string;
  const requests: string[] = [];

  before(async () => {
    mkdirSync(path.join(directory, 'tree', 'DEBIAN'), { recursive: true });
    writeFileSync(
      path.join(directory, 'tree', 'DEBIAN', 'control'),
      'Package: istio-sidecar\nVersion: 1:1.0.3-2~rc1\nArchitecture: amd64\nMaintainer: t <t@example.com>\nDescription: a\n Version: 9\n',
    );
    for (const compression of ['gzip', 'xz', 'zstd', 'none']) {
      const file = path.join(directory, `${compression}.deb`);
      execFileSync('dpkg-deb', [`-Z${compression}`, '--root-owner-group', '-b', path.join(directory, 'tree'), file], { stdio: 'ignore' });
      built.set(compression, readFileSync(file));
    }
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      if (request.url === '/deb/istio-sidecar.deb') response.end(built.get('xz'));
      else if (request.url === '/moved') response.writeHead(302, { location: '/deb/istio-sidecar.deb' }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (request.url === '/huge') response.writeHead(200, { 'content-length': String(2 ** 40) }).end();
      else if (request.url === '/hang') response.writeHead(200).write('x');
      else if (request.url?.startsWith('/private.deb') === true) {
        if (request.headers.authorization === `Basic ${Buffer.from('me:pa%ss').toString('base64')}`) response.end(built.get('xz'));
        else response.writeHead(401).end();
      } else if (request.url === '/elsewhere')
        response.writeHead(302, { location: `${site.replace('127.0.0.1', 'localhost')}/private.deb` }).end();
      else if (request.url === '/page') response.end('<html>404, but 200</html>');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const fetcher = createPackageFetcher();
  const url = (where: string, timeoutMs?: number) => fetcher.fetch({ kind: 'url', url: `${site}${where}` }, { timeoutMs });

  it('is compared with the sha256 that it must have, and said to be unverified where plain http brought it without one', async () => {
    const file = path.join(directory, 'xz.deb');
    const sum = execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64);
    const from = { kind: 'url', url: `${site}/deb/istio-sidecar.deb` } as const;
    assert.equal((await fetcher.fetch(from)).unverified, true);
    assert.equal((await fetcher.fetch({ ...from, sha256: sum.toUpperCase() })).unverified, undefined);
    assert.equal((await fetcher.fetch({ kind: 'file', path: file })).unverified, undefined);
    const refused = async (sha256: string): Promise<unknown> => {
      try {
        return await fetcher.fetch({ ...from, sha256 });
      } catch (error) {
        return isMeshError(error) ? [error.code, error.field, error.kind, error.userMessage] : error;
      }
    };
    const rule = ['package.checksum', 'sha256', 'bad-input'];
    const other = '0'.repeat(64);
    assert.deepEqual(await refused(other), [
      ...rule,
      { id: 'ssh.package.checksum', args: { source: from.url, wanted: other, found: sum } },
    ]);
    const asked = requests.length;
    assert.deepEqual(await refused('abc'), [...rule, { id: 'ssh.package.checksum.rule', args: { wanted: 'abc' } }]);
    assert.equal(requests.length, asked, 'nothing is fetched for a checksum that is none');
  });

  it('comes with the login of its address, which nobody is shown, nor another origin told', async () => {
    const login = (where: string) => `${site.replace('//', '//me:pa%25ss@')}${where}`;
    const file = await fetcher.fetch({ kind: 'url', url: login('/private.deb?signature=s3cr3t') });
    assert.equal(file.name, 'istio-sidecar');
    assert.equal(file.source, `${site}/private.deb?...`);
    for (const where of ['/nowhere?signature=s3cr3t', '/elsewhere']) {
      const error: unknown = await fetcher.fetch({ kind: 'url', url: login(where) }).catch((thrown: unknown) => thrown);
      assert.ok(isMeshError(error, 'package.download'), where);
      assert.match(JSON.stringify(error.userMessage), where === '/elsewhere' ? /HTTP 401/ : /HTTP 404/);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /pa%25ss|pa%ss|s3cr3t/);
    }
  });

  for (const compression of ['gzip', 'xz', 'zstd', 'none']) {
    it(`tells its name, version and architecture, compressed with ${compression}`, async () => {
      assert.deepEqual(await readDebControl(built.get(compression) ?? Buffer.alloc(0)), {
        name: 'istio-sidecar',
        version: '1:1.0.3-2~rc1',
        architecture: 'amd64',
      });
    });
  }

  it('that is empty, cut, or something else is refused', async () => {
    const good = built.get('xz') ?? Buffer.alloc(0);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('<html>'),
      good.subarray(0, 100),
      good.subarray(0, good.length - 10),
      Buffer.from('!<arch>\n'),
    ])
      await assert.rejects(readDebControl(bytes));
    writeFileSync(path.join(directory, 'empty.deb'), '');
    await assert.rejects(fetcher.fetch({ kind: 'file', path: path.join(directory, 'empty.deb') }), {
      code: 'package.source',
      kind: 'bad-input',
    });
    await assert.rejects(fetcher.fetch({ kind: 'file', path: path.join(directory, 'absent.deb') }), { code: 'package.source' });
  });

  it('comes from a file, with the hash that sha256sum prints', async () => {
    const file = path.join(directory, 'xz.deb');
    const found = await fetcher.fetch({ kind: 'file', path: file });
    assert.equal(found.sha256, execFileSync('sha256sum', [file], { encoding: 'utf8' }).split(' ')[0]);
    assert.equal(found.source, file);
  });

  it('comes from a URL, through a redirect; not through a loop, to a file, or for ever', async () => {
    assert.equal((await url('/moved')).version, '1:1.0.3-2~rc1');
    for (const [where, code] of [
      ['/loop', 'package.download'],
      ['/file', 'package.source'],
      ['/huge', 'package.download'],
      ['/none', 'package.download'],
      ['/page', 'package.source'],
    ] as const) {
      await assert.rejects(url(where), { code }, where);
    }
    await assert.rejects(url('/hang', 300), { code: 'package.download' });
    await assert.rejects(fetcher.fetch({ kind: 'url', url: 'file:///etc/passwd' }), { code: 'package.source' });
    await assert.rejects(fetcher.fetch({ kind: 'url', url: `${site}/hang` }, { signal: AbortSignal.timeout(200) }), { code: 'cancelled' });
  });

  it('comes from istio.VERSION, which is read and never run', async () => {
    const file = path.join(directory, 'istio.VERSION');
    writeFileSync(file, `# DO NOT EDIT\nexport CITADEL_HUB="docker.io/istio"\nexport PILOT_DEBIAN_URL="${site}/deb/"\n`);
    assert.equal((await fetcher.fetch({ kind: 'istio.VERSION', path: file })).source, `${site}/deb/istio-sidecar.deb`);
    assert.deepEqual(sidecarUrl('PILOT_DEBIAN_URL=http://x/deb', 'f'), { url: 'http://x/deb/istio-sidecar.deb', several: false });
    assert.deepEqual(sidecarUrl('export PILOT_DEBIAN_URL=\'http://x/deb\'\nexport AUTH_DEBIAN_URL="http://x/deb"', 'f').several, true);
    for (const text of [
      '',
      'export PILOT_DEBIAN_URL=""',
      'export PILOT_DEBIAN_URL="$(id)"',
      'export PILOT_DEBIAN_URL="$HOME/x"',
      '#export PILOT_DEBIAN_URL="http://x"',
    ]) {
      assert.throws(() => sidecarUrl(text, 'f'), { code: 'package.source' }, text);
    }
  });

  it('of a release with three packages is named as not supported', async () => {
    const file = path.join(directory, 'old.VERSION');
    writeFileSync(file, `export PILOT_DEBIAN_URL="${site}/0.2.12/deb"\nexport PROXY_DEBIAN_URL="${site}/0.2.12/deb"\n`);
    await assert.rejects(fetcher.fetch({ kind: 'istio.VERSION', path: file }), { code: 'package.unsupported' });
    assert.ok(requests.includes('/0.2.12/deb/istio-sidecar.deb'));
  });
});
