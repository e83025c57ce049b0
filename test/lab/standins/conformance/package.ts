// istio-sidecar.deb (citadel facts 4), asked with dpkg-deb here and dpkg on a machine.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../toolchain/run.ts';
import { buildDeb, debFile, writeIstioVersion } from '../index.ts';
import type { PackageRelease, StandinBinaries } from '../index.ts';
import type { LabOf } from './support.ts';
import { asRoot, get, inDirectory, MACHINE } from './support.ts';

const CONFFILES = ['/var/lib/istio/envoy/sidecar.env', '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json'];

/** The lines `mode owner path` of `dpkg-deb --contents`, directories left out. */
async function contents(deb: string): Promise<string[]> {
  const { stdout } = await run(['dpkg-deb', '--contents', deb]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([mode]) => !mode?.startsWith('d'))
    .map(([mode, owner, , , , name]) => `${mode} ${owner} ${name}`);
}

export function packageCases(labOf: LabOf, binariesOf: () => StandinBinaries): void {
  const deb = (release: PackageRelease = '1.0.3') => debFile(binariesOf(), release);
  const copyToMachine = async (release: PackageRelease) => {
    await run(['scp', '-q', '-F', labOf().sshConfig, deb(release), `${MACHINE}:istio-sidecar-${release}.deb`]);
  };

  describe('the sidecar package', () => {
    it('has the name, version and dependencies of the real one', async () => {
      const fields = await run(['dpkg-deb', '--field', deb(), 'Package', 'Version', 'Architecture', 'Depends']);
      assert.equal(fields.stdout, 'Package: istio-sidecar\nVersion: 1.0.3-1\nArchitecture: amd64\nDepends: iptables, iproute2\n');
      assert.equal((await run(['dpkg-deb', '--field', deb('1.0.4'), 'Version'])).stdout, '1.0.4-1\n');
      assert.equal((await run(['dpkg', '--compare-versions', '1.0.4-1', 'gt', '1.0.3-1'], { tolerant: true })).code, 0);
    });

    it('has the paths, modes and conffiles of the real one', async () => {
      assert.deepEqual((await contents(deb())).toSorted(), [
        '-rw-r--r-- root/root ./lib/systemd/system/istio-auth-node-agent.service',
        '-rw-r--r-- root/root ./lib/systemd/system/istio.service',
        '-rw-r--r-- root/root ./var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
        '-rw-r--r-- root/root ./var/lib/istio/envoy/sidecar.env',
        '-rwxr-xr-x root/root ./usr/local/bin/envoy',
        '-rwxr-xr-x root/root ./usr/local/bin/istio-iptables.sh',
        '-rwxr-xr-x root/root ./usr/local/bin/istio-node-agent-start.sh',
        '-rwxr-xr-x root/root ./usr/local/bin/istio-start.sh',
        '-rwxr-xr-x root/root ./usr/local/bin/node_agent',
        '-rwxr-xr-x root/root ./usr/local/bin/pilot-agent',
      ]);
      assert.equal((await run(['dpkg-deb', '--info', deb(), 'conffiles'])).stdout, CONFFILES.map((name) => `${name}\n`).join(''));
    });

    it('is the same bytes when built again', async () => {
      await inDirectory(async (directory) => {
        await run(['dpkg-deb', '--raw-extract', deb(), path.join(directory, 'tree')]);
        const again = path.join(directory, 'again', 'istio-sidecar.deb');
        await buildDeb('1.0.3', path.join(directory, 'tree', 'usr/local/bin'), again);
        assert.ok((await readFile(deb())).equals(await readFile(again)));
      });
    });

    it('is served where istio.VERSION says', async () => {
      await inDirectory(async (directory) => {
        const [version, fetched] = [path.join(directory, 'istio.VERSION'), path.join(directory, 'fetched.deb')];
        await writeIstioVersion(version, `http://${labOf().addresses.router}:8000`);
        // As the guide has it.
        await run(['bash', '-euc', 'source "$1"; curl -fsSL "${PILOT_DEBIAN_URL}/istio-sidecar.deb" > "$2"', 'bash', version, fetched]);
        assert.ok((await readFile(deb())).equals(await readFile(fetched)));
      });
      await get(`http://${labOf().addresses.router}:8000/9.9.9/deb/istio-sidecar.deb`, 404);
    });

    it('installs users, directories and units, and starts and enables nothing', async () => {
      await copyToMachine('1.0.3');
      await asRoot(labOf(), 'dpkg -i istio-sidecar-1.0.3.deb >/dev/null');
      const seen = await asRoot(
        labOf(),
        `
        dpkg-query -W -f '\${db:Status-Status} \${Version}\\n' istio-sidecar
        getent passwd istio-proxy | cut -d: -f1,6
        id -gn istio-proxy
        readlink /etc/istio
        stat -c '%a %U %n' /etc/certs /var/lib/istio/envoy /var/lib/istio/proxy /var/lib/istio/config /var/log/istio /var/lib/istio/config/mesh /usr/local/bin/envoy /usr/local/bin/pilot-agent /usr/local/bin/node_agent
        systemctl is-enabled istio istio-auth-node-agent || true
        systemctl is-active istio istio-auth-node-agent || true
        systemctl show -p Restart -p RestartUSec -p StartLimitIntervalUSec istio-auth-node-agent istio | grep . | sort | uniq -c | sed 's/^ *//'
        ls /var/lib/istio/envoy/cluster.env 2>&1 | tail -c 26`,
      );
      assert.deepEqual(seen.split('\n'), [
        'installed 1.0.3-1',
        'istio-proxy:/var/lib/istio',
        'istio-proxy',
        '/var/lib/istio',
        '755 istio-proxy /etc/certs',
        '755 istio-proxy /var/lib/istio/envoy',
        '755 istio-proxy /var/lib/istio/proxy',
        '755 istio-proxy /var/lib/istio/config',
        '755 istio-proxy /var/log/istio',
        '644 istio-proxy /var/lib/istio/config/mesh',
        '2755 root /usr/local/bin/envoy',
        '2755 root /usr/local/bin/pilot-agent',
        '755 root /usr/local/bin/node_agent',
        'disabled',
        'disabled',
        'inactive',
        'inactive',
        '2 Restart=always',
        '2 RestartUSec=10s',
        '2 StartLimitIntervalUSec=0',
        'No such file or directory',
      ]);
    });

    it('asks about an edited sidecar.env on an upgrade, and keeps it when told so', async () => {
      await copyToMachine('1.0.4');
      await asRoot(labOf(), 'echo ISTIO_SERVICE=edited >> /var/lib/istio/envoy/sidecar.env');
      const asked = await labOf().ssh(MACHINE, ['sudo', 'dpkg', '-i', 'istio-sidecar-1.0.4.deb'], { tolerant: true });
      assert.notEqual(asked.code, 0);
      assert.match(asked.stdout + asked.stderr, /end of file on stdin at conffile prompt/);
      await asRoot(labOf(), 'dpkg --force-confold -i istio-sidecar-1.0.4.deb >/dev/null 2>&1');
      assert.equal(
        await asRoot(labOf(), "dpkg-query -W -f '${Version}' istio-sidecar; tail -n 1 /var/lib/istio/envoy/sidecar.env"),
        '1.0.4-1ISTIO_SERVICE=edited',
      );
      await asRoot(labOf(), 'dpkg --force-confnew -i istio-sidecar-1.0.3.deb >/dev/null 2>&1; rm -f /var/lib/istio/envoy/*.dpkg-*');
    });
  });
}
