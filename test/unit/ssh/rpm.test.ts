import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { packageManager } from '../../../src/ssh/packageManagers.ts';
import { isRpm, readRpmHeader } from '../../../src/ssh/rpmHeader.ts';
import { PACKAGE_FUNCTIONS } from '../../../src/ssh/scripts/packages.ts';
import { PROBE_FUNCTIONS } from '../../../src/ssh/scripts/probe.ts';

const RPM = [
  'H4sIAAAAAAACA+2Y3W8UVRjG390udYESF4riV7RpiGkNuz1nPs7MmCiSKtKICgENJmhy5syZdrT74e7SFOIFEtIbYoNKIhfVEOyN8SMx4cZEE4xVMfFCsRcmwoWkRFA+',
  '5IZg0rqyO0+hRS/8A+ZJZnd+87znzLvnTGaT5+KHl35pIyJKRbV6VM7XokArWc0bD/OCyQssz+n/K0VLbr00/vG5FE5vI8odI6JHcT5JRDmi1Aoiar8xA6VWgntjbjtH',
  'RBkiGgZfiMdTJR7fdhn+Xvh/wt9PlOsKtHJMIXxLCekwaXLDUNy3DckDoRxXWsoLHR0ykqEjVCi4J51mjXZMZhrC4z7zlCkY94U0TemaOjC0pW0luOuZSjDXVo7HXdVq',
  'v/2Np987+fLB1+6d2V76bF3216V7iFI5SpQoUaJEiRIlSpQoUaJEiRIlQibSaDQOxpnGotzEIkp/SUTr41wj/SlqAiLKomY+J2nmJmnweXAO/Dt4DfgP5Cb3LchVlhJR',
  'F/giuBt8CfVrwZcxXw/4Cvx14KvwGfga5rPAc/AfA/8N3hhzJoP5toCbXjOq2g5eCn4evAz1O8DLsT47wR3gd8ErUH8EfDv8SXAO/AF4Nfr7BHwHxv8AXoP66XgPMnfB',
  'vxZ/Z+6O/VQWfA+4CO6J50+NY74n4+upw+BN4AnwAMbP978D/iTu/wL8j8A74U+h/kX4J8AvgafBPvo5Cw7AF8AafAUcgq+Ch8HXwPX4/ukO8C4wns/MSHz/9OqYO9+G',
  'j+ex85t4vjSev84Z1D8EPot65ISd5+E3c8JUPy3KNylON2k+3UzXqU6vZI7vHym2OLth22Z6rlSraBWFkQ5oOCrtGqVSWVbVEMZkX5+k1hjGhRBaMcEsIRS3fC+UTCjB',
  'zdCXyrI8LszQkAbjjm27oebCNoTBPOk7rhI+w3wrq+VynVofi7PY+SS2UKuqQrXS6rDRaDRUuRRGgz2Lintv+Z25632miJbNH/89plopDkd+T3+5WKnqWk0HG6Nh/Yws',
  '6toNr3nl8WhQ1+o3r22Ru4fLslVc2yRH9JaqDqPRXloQHpsFVrDynKyCaLGFT+4W2M13V+to9dpc1wXD/xVDo+WCLo1QX71Y6RvKVyvFfHPV+ij/rNGVHyRVico0uCeq',
  'EMeO5QPtR7KUj3dxXhu29Q8MdNX1aD3ez131MO8Sdz3LE6YKLMVDz1Xat4Vn2KHrM+UarjCtQDkGD00zMD3mh1pYhue7ruHYHje9uNGsGbiW1q5ra1vKUHCplav9kClP',
  'SBEoXzLT9w1bWI7jOYHirlYidP0wUIHPrKC1NuvjP4XZ4821eeBA/K7PtJnMYQ6z9hIrysND6bPvbxsLB9of/K79TrZ7eX3Jz3+N9bJXH5l761R6ruP00X07Tx+dnV01',
  'd+b7Q9MzU91fTH9utI8dmj42dXJiVeHIgVxpX/T1E1+dGn/q/ndGV23uXnvix5++tTdt3fpmKktnJn7L5a5vzT/+JGE1JRgAAA==',
];

/** A package that rpmbuild 4.18 made, with one configuration file; `rpm -qp` of it says istio-sidecar, 2:1.31.0-1, noarch. */
const PACKAGE = gunzipSync(Buffer.from(RPM.join(''), 'base64'));

describe('an rpm', () => {
  it('says its name, version and architecture', () => {
    assert.equal(isRpm(PACKAGE), true);
    assert.deepEqual(readRpmHeader(PACKAGE), { name: 'istio-sidecar', version: '2:1.31.0-1', architecture: 'noarch' });
  });

  it('that is cut or damaged is refused', () => {
    assert.equal(isRpm(Buffer.from('!<arch>')), false);
    for (const length of [4, 96, 110, 400, 2000]) assert.throws(() => readRpmHeader(PACKAGE.subarray(0, length)), Error);
    const damaged = Buffer.from(PACKAGE);
    damaged.writeUInt32BE(0x7fffffff, 96 + 8);
    assert.throws(() => readRpmHeader(damaged), /cut or damaged/);
  });
});

describe('a machine of rpms', () => {
  /** Runs the functions with programs that only print what they are asked; a system without dpkg's database. */
  function asked(argv: readonly string[]): string[] {
    const stubs = ['rpm', 'dnf'].map(
      (name) => `${name}() { { printf '%s' ${name}; printf ' <%s>' "$@"; echo; } >&3; [ "$1" != -qc ] || echo /etc/no-such; }`,
    );
    const script = [PROBE_FUNCTIONS, PACKAGE_FUNCTIONS, ...stubs, 'packaging() { echo rpm; }', '"$@" 3>&1 || :'].join('\n');
    return execFileSync('sh', ['-c', script, 'sh', ...argv], { encoding: 'utf8' })
      .trim()
      .split('\n');
  }
  const manager = packageManager('rpm');

  it('installs and upgrades with rpm alone, which keeps settings that were changed', () => {
    assert.deepEqual(asked(manager.install('/var/lib/mesh-expansion/package/it.rpm')), [
      'rpm <-U> <--oldpackage> <--> </var/lib/mesh-expansion/package/it.rpm>',
    ]);
  });

  it('removes a package with what rpm would leave of its settings', () => {
    assert.deepEqual(asked(manager.purge(['istio-sidecar'])), ['rpm <-qc> <--> <istio-sidecar>', 'rpm <-e> <--> <istio-sidecar>']);
  });

  it('takes tools from its repositories, and asks them without waiting for minutes', () => {
    assert.deepEqual(asked(manager.fromRepositories(['iptables', 'sudo'])), [
      'dnf <-q> <-y> <--setopt=install_weak_deps=False> <--setopt=timeout=20> <--setopt=retries=1> <install> <--> <iptables> <sudo>',
    ]);
  });

  it('is asked for its packages', () => {
    const [line = ''] = asked(['packages', 'istio-sidecar', 'sudo']);
    assert.match(line, /^rpm <-q> <--qf> <package %\{NAME\}.*> <--> <istio-sidecar> <sudo>$/);
  });
});
