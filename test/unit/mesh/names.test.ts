import assert from 'node:assert/strict';
import { decodeName, encodeName } from '../../../src/mesh/encodedNames.ts';
import {
  isAddress,
  isCidr,
  isClusterName,
  isDnsLabel,
  isHostAlias,
  isHostPath,
  isMachineAddress,
  isPort,
  isRelease,
  isServiceReference,
} from '../../../src/mesh/names.ts';
import { nearest } from '../../../src/mesh/nearest.ts';

const accepts = (rule: (value: string) => boolean, values: string[]) =>
  values.forEach((value) => assert.equal(rule(value), true, `refused ${JSON.stringify(value)}`));
const refuses = (rule: (value: string) => boolean, values: string[]) =>
  values.forEach((value) => assert.equal(rule(value), false, `accepted ${JSON.stringify(value)}`));

describe('names', () => {
  it('knows a host alias from an option, a path and a shell word', () => {
    accepts(isHostAlias, ['db-1', 'db_1.example.org', 'root@10.0.0.1', '机器1', '2001:db8::1', 'A']);
    refuses(isHostAlias, [
      '',
      '-oProxyCommand=x',
      'a b',
      'a\tb',
      'a\nb',
      'a/b',
      'a\\b',
      '..',
      'a..b',
      '.ssh',
      '$(id)',
      'a;b',
      'a`b',
      'a"b',
      "a'b",
      'a*',
      'a|b',
      'a&b',
      'a>b',
      '~',
      'a\u0000',
      'a\u202eb',
      '#a',
      '%h',
      'a!',
    ]);
  });

  it('lets cluster names hold / and :', () => {
    accepts(isClusterName, [
      'prod',
      'arn:aws:eks:eu-west-1:1:cluster/prod',
      'default/api:6443/kube:admin',
      'a b',
      'kubernetes-admin@kubernetes',
    ]);
    refuses(isClusterName, ['', '-x', ' a', 'a ', 'a\nb', 'a\u001b[31m', 'a\u200bb']);
  });

  it('follows Kubernetes on DNS labels', () => {
    accepts(isDnsLabel, ['a', '1', 'a-b', 'a'.repeat(63)]);
    refuses(isDnsLabel, ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(64)]);
    accepts(isServiceReference, ['mysql', 'mysql.onprem']);
    refuses(isServiceReference, ['mysql.', '.onprem', 'a.b.c', '1a', 'a/b']);
  });

  it('takes only addresses written in full', () => {
    accepts(isAddress, ['10.0.0.1', '::1', '2001:db8::5']);
    refuses(isAddress, ['10.1', '010.0.0.1', '0x7f.0.0.1', '10.0.0.256', 'fe80::1%eth0', '', '10.0.0.1 ']);
    refuses(isMachineAddress, [
      '127.0.0.1',
      '::1',
      '169.254.1.1',
      'fe80::1',
      '224.0.0.1',
      '0.0.0.0',
      '255.255.255.255',
      '::ffff:127.0.0.1',
    ]);
    accepts(isCidr, ['10.63.240.0/20', '0.0.0.0/0', 'fd00::/112']);
    refuses(isCidr, ['10.0.0.0', '10.0.0.0/33', '10.0/8', '10.0.0.0/', 'fd00::/129', '10.0.0.0/8,10.1.0.0/16', '*']);
  });

  it('takes whole ports and releases', () => {
    assert.deepEqual([1, 65535, 0, 65536, 1.5, Number.NaN].map(isPort), [true, true, false, false, false, false]);
    accepts(isRelease, ['1.0.3', '0.2.7', '1.4', '1.10.0-rc.1', '1.1.0.snapshot.5', '1.0.3_debug']);
    refuses(isRelease, ['', '1', 'v1.0.3', '1.0.3.4', '1.0.3.', 'latest', '1.0.3;x']);
  });

  it('keeps paths normalized and below the allowed roots', () => {
    accepts(isHostPath, ['/etc/certs/key.pem', '/var/lib/istio/envoy/cluster.env', '/etc/dnsmasq.d/kubedns']);
    refuses(isHostPath, [
      'etc/x',
      '/etc',
      '/etc/../root/x',
      '/etc/./x',
      '/etc//x',
      '/etc/x/',
      '/root/.ssh/authorized_keys',
      '/etcetera/x',
      '/etc/a\\b',
      '/etc/a\nb',
    ]);
  });

  it('encodes names for URIs and folders, and gives them back', () => {
    assert.equal(encodeName('arn:aws/x'), 'arn%3Aaws%2Fx');
    assert.equal(encodeName('..'), '%2E%2E');
    assert.equal(encodeName('db.1'), 'db.1');
    assert.equal(encodeName('机'), '%E6%9C%BA');
    assert.equal(encodeName('con'), '%63on');
    assert.equal(encodeName('a.'), 'a%2E');
    for (const name of ['prod', 'a/b:c', '..', '.', 'x%2Fy', '机器 1', 'NUL.txt', 'a.']) assert.equal(decodeName(encodeName(name)), name);
    for (const bad of ['', '..', 'a/b', '%', '%2f', 'a:b']) assert.equal(decodeName(bad), undefined);
  });

  it('finds the nearest word, and none where nothing is near', () => {
    assert.equal(nearest('inboundPort', ['inboundPorts', 'name']), 'inboundPorts');
    assert.equal(nearest('nmae', ['name', 'namespace']), 'name');
    assert.equal(nearest('zzz', ['name', 'namespace']), undefined);
    assert.equal(nearest('x', []), undefined);
  });
});
