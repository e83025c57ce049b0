import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { assignments, valueOf, withVariables } from '../../../../src/mesh/host/envFile.ts';
import { resolverFiles, withLocalFirst, withPrepend } from '../../../../src/mesh/citadel/resolver.ts';
import type { HostFacts, HostState } from '../../../../src/mesh/ports.ts';
import { coded } from './support.ts';

interface Machine {
  readonly resolvConf?: HostFacts['resolvConf'];
  readonly port53?: HostFacts['port53'];
  readonly texts?: Readonly<Record<string, string>>;
}

function machine({ resolvConf = { kind: 'file' }, port53 = [], texts = {} }: Machine): HostState {
  return {
    facts: {
      hostname: 'db-1',
      addresses: [{ address: '10.150.0.5', interface: 'eth0' }],
      os: { id: 'debian', version: '12', architecture: 'amd64' },
      loginUser: 'admin',
      sudo: 'passwordless',
      resolvConf,
      port53,
      clockOffsetSeconds: 0,
    },
    files: Object.entries(texts).map(([path, text]) => ({ path, exists: true, text })),
    units: [],
    packages: [],
    programs: {},
  };
}

const texts = (state: HostState): Record<string, string> =>
  Object.fromEntries(
    resolverFiles(state, 'istio-system', 'cluster.local').map(({ path, content }) => [path, content.kind === 'text' ? content.text : '']),
  );

describe('citadel resolver', () => {
  it('puts dnsmasq first and keeps the other servers', () => {
    assert.equal(
      withLocalFirst('search corp\nnameserver 10.0.0.2\nnameserver 10.0.0.3\noptions edns0\n'),
      'search corp\nnameserver 127.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\noptions edns0\n',
    );
    assert.equal(withLocalFirst(''), 'nameserver 127.0.0.1\n');
    assert.equal(withLocalFirst('search corp'), 'search corp\nnameserver 127.0.0.1\n');
    assert.equal(withLocalFirst('nameserver 10.0.0.2\nnameserver 127.0.0.1\n'), 'nameserver 127.0.0.1\nnameserver 10.0.0.2\n');
  });

  it('adds the line of the script to dhclient.conf', () => {
    assert.equal(withPrepend('request subnet-mask;'), 'request subnet-mask;\nprepend domain-name-servers 127.0.0.1;\n');
    assert.equal(
      withPrepend('#prepend domain-name-servers 127.0.0.1;\n'),
      '#prepend domain-name-servers 127.0.0.1;\nprepend domain-name-servers 127.0.0.1;\n',
    );
  });

  it('leaves a file alone that asks dnsmasq first', () => {
    assert.equal(withLocalFirst('search x\n\nnameserver 127.0.0.1'), 'search x\n\nnameserver 127.0.0.1');
  });

  it('changes nothing the second time', () => {
    for (const text of ['', 'nameserver 10.0.0.2\n', 'search x\n\nnameserver 127.0.0.1'])
      assert.equal(withLocalFirst(withLocalFirst(text)), withLocalFirst(text));
    assert.equal(withPrepend(withPrepend('x;\n')), withPrepend('x;\n'));
  });

  it('writes resolv.conf, and dhclient.conf where there is one', () => {
    assert.deepEqual(texts(machine({ texts: { '/etc/resolv.conf': 'nameserver 10.0.0.2\n' } })), {
      '/etc/resolv.conf': 'nameserver 127.0.0.1\nnameserver 10.0.0.2\n',
    });
    assert.deepEqual(
      Object.keys(texts(machine({ texts: { '/etc/resolv.conf': 'nameserver 10.0.0.2\n', '/etc/dhcp/dhclient.conf': 'x;\n' } }))),
      ['/etc/resolv.conf', '/etc/dhcp/dhclient.conf', '/etc/dhcp/dhclient-enter-hooks.d/mesh-expansion'],
    );
    assert.deepEqual(texts(machine({ resolvConf: { kind: 'absent' } })), { '/etc/resolv.conf': 'nameserver 127.0.0.1\n' });
  });

  it('keeps dnsmasq first when a lease is renewed', () => {
    const hook = texts(machine({ texts: { '/etc/dhcp/dhclient.conf': 'x;\n' } }))['/etc/dhcp/dhclient-enter-hooks.d/mesh-expansion'] ?? '';
    const after = (servers: string): string =>
      execFileSync('sh', ['-c', `${hook}\nprintf %s "$new_domain_name_servers"`], {
        env: { ...process.env, new_domain_name_servers: servers },
        encoding: 'utf8',
        timeout: 5000,
      });
    assert.deepEqual(['10.0.0.2 10.0.0.3', '127.0.0.1 10.0.0.2', ''].map(after), ['127.0.0.1 10.0.0.2 10.0.0.3', '127.0.0.1 10.0.0.2', '']);
  });

  it('gives systemd-resolved the cluster names alone, and dnsmasq an address beside it', () => {
    const state = machine({
      resolvConf: { kind: 'link', target: '../run/systemd/resolve/stub-resolv.conf' },
      port53: [{ process: 'systemd-resolve', address: '127.0.0.53%lo' }],
    });
    assert.deepEqual(texts(state), {
      '/etc/systemd/resolved.conf.d/mesh-expansion.conf': '[Resolve]\nDNS=127.0.0.1\nDomains=istio-system ~svc.cluster.local\n',
      '/etc/dnsmasq.d/mesh-expansion': 'listen-address=127.0.0.1\nbind-interfaces\nresolv-file=/run/systemd/resolve/resolv.conf\n',
    });
  });

  it('refuses what it cannot serve', () => {
    const link = { kind: 'link', target: '/run/NetworkManager/resolv.conf' } as const;
    assert.throws(
      () => texts(machine({ resolvConf: link, texts: { '/etc/resolv.conf': 'nameserver 10.0.0.2\n' } })),
      coded('citadel.resolver-unsupported'),
    );
    assert.deepEqual(texts(machine({ resolvConf: link, texts: { '/etc/resolv.conf': 'nameserver 127.0.0.1\n' } })), {});
    assert.throws(() => texts(machine({ port53: [{ process: 'named', address: '127.0.0.1' }] })), coded('citadel.port-53-taken'));
    assert.throws(() => texts(machine({ port53: [{ process: 'named', address: '0.0.0.0' }] })), coded('citadel.port-53-taken'));
    assert.equal(texts(machine({ port53: [{ process: 'dnsmasq', address: '0.0.0.0' }] }))['/etc/dnsmasq.d/mesh-expansion'], undefined);
  });
});

describe('files of variables', () => {
  it('are read as a shell reads them', () => {
    assert.deepEqual(
      assignments('# A=1\nA=2\n export B="x y"\nC\nA=\'3\'\n').map(({ variable, value, line }) => [variable, value, line]),
      [
        ['A', '2', 1],
        ['B', 'x y', 2],
        ['A', '3', 4],
      ],
    );
  });

  it('end with the last assignment', () => {
    assert.equal(valueOf('A=1\nA=2\n', 'A'), '2');
    assert.equal(valueOf('#A=1\n', 'A'), undefined);
  });

  it('are changed in place, once', () => {
    const set = new Map([
      ['A', '9'],
      ['Z', '1'],
    ]);
    assert.equal(withVariables('A=1\n# keep\nA=2\nB=3\n', set), '# keep\nA=9\nB=3\nZ=1\n');
    assert.equal(withVariables(withVariables('A=1\n', set), set), withVariables('A=1\n', set));
    assert.equal(withVariables('A="9"\nZ=1\n', set), 'A="9"\nZ=1\n');
    assert.equal(withVariables('', set), 'A=9\nZ=1\n');
  });
});
