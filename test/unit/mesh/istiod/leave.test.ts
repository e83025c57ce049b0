import assert from 'node:assert/strict';
import { planLeave } from '../../../../src/mesh/istiod/leave.ts';
import type { HostManifest, HostState, VmHost } from '../../../../src/mesh/ports.ts';
import { facts, hostState, NotingHost, work } from '../host/support.ts';
import { coded } from './support.ts';

describe('leaving a mesh of istiod', () => {
  const joined = (packages: 'deb' | 'rpm'): HostState =>
    hostState({
      facts: { ...facts, os: { ...facts.os, packages } },
      manifest: {
        owner: { vm: 'db-1', cluster: 'prod', era: 'istiod', release: '1.31.0' },
        generation: 1,
        time: '',
        files: [],
        packages: [{ name: 'istio-sidecar', version: '1.31.0' }],
        units: [],
        created: { paths: [], users: [], groups: [] },
      } as unknown as HostManifest,
    });
  const step = async (id: string, packages: 'deb' | 'rpm', said = '') => {
    const noting = new NotingHost(joined(packages));
    const run = async () => ({ exitCode: 0, stdout: said, stderr: '', durationMs: 1, timedOut: false });
    const host = { ...noting.host, run } as unknown as VmHost;
    const { steps } = await planLeave(work(noting).scope, host);
    return steps.find((one) => one.id === id) ?? assert.fail(id);
  };

  it('says the command that takes the package away on that machine', async () => {
    const lines = async (packages: 'deb' | 'rpm') =>
      (await (await step('packages', packages)).preview()).details.map((one) => one.kind === 'command' && one.commandLine);
    assert.deepEqual(await lines('deb'), ['dpkg --purge istio-sidecar']);
    assert.deepEqual(await lines('rpm'), ['rpm -e istio-sidecar']);
  });

  // As iptables-save prints what istio-iptables of 1.9 adds for DNS, in no chain of its own.
  it('ends at a rule that is left, also at one for DNS alone', async () => {
    const rules = async (said: string) => (await step('rules', 'deb', said)).run();
    await rules('*nat\n-A OUTPUT -d 10.0.0.2/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353\nCOMMIT\n');
    await assert.rejects(rules('*nat\n-A OUTPUT -p tcp -j ISTIO_OUTPUT\nCOMMIT\n'), coded('istiod.rules-left'));
    const dns = '-A OUTPUT -d 10.0.0.2/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053';
    await assert.rejects(rules(`*nat\n${dns}\nCOMMIT\n`), coded('istiod.rules-left'));
  });
});
