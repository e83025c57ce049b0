import assert from 'node:assert/strict';
import { choosePackage, namedPackage, packageStep } from '../../../../src/mesh/host/package.ts';
import { missingTools } from '../../../../src/mesh/host/tools.ts';
import type { HostFacts, PackageFile } from '../../../../src/mesh/ports.ts';
import { coded } from '../citadel/support.ts';
import { facts, hostState, NotingHost, plainSidecar, work } from './support.ts';

const file: PackageFile = {
  name: 'sidecar',
  version: '1.31.0',
  architecture: 'amd64',
  sha256: 'aa',
  bytes: new Uint8Array(),
  source: 'sidecar.deb',
};
const source = { package: { kind: 'file', path: 'sidecar.deb' } } as const;
const os = (more: Partial<HostFacts['os']>): HostFacts => ({ ...facts, os: { ...facts.os, ...more } });
const installed = (version: string) => [{ name: 'sidecar', version, status: 'install ok installed' }];

describe('the package of the sidecar', () => {
  const choose = (given: PackageFile, state = hostState()) => {
    const host = new NotingHost(state);
    return choosePackage(work(host, { file: given }), state, source);
  };

  it('must be given where none is installed, and may be kept where one is', async () => {
    const state = hostState();
    await assert.rejects(choosePackage(work(new NotingHost(state)), state, {}), (error: unknown) => {
      assert.equal((error as { nextStep?: { id: string } }).nextStep?.id, 'hint');
      return coded('package.missing')(error);
    });
    const has = hostState({ packages: installed('1.31.0') });
    assert.equal(await choosePackage(work(new NotingHost(has)), has, {}), undefined);
    const removed = hostState({ packages: [{ name: 'sidecar', version: '1.31.0', status: 'deinstall ok config-files' }] });
    await assert.rejects(choosePackage(work(new NotingHost(removed)), removed, {}), coded('package.missing'));
  });

  it('must be named for an upgrade', async () => {
    const state = hostState({ packages: installed('1.30.0') });
    const host = new NotingHost(state);
    await assert.rejects(namedPackage(work(host), state, {}), coded('package.missing', 'package.none'));
    assert.equal(await namedPackage(work(host, { file }), state, source), file);
  });

  it('must be of the right name, format and architecture', async () => {
    assert.equal(await choose(file), file);
    await assert.rejects(choose({ ...file, name: 'other' }), coded('package.other'));
    await assert.rejects(choose({ ...file, architecture: 'arm64' }), coded('package.architecture'));
    await assert.rejects(choose({ ...file, format: 'rpm' }), coded('package.format'));
    const red = hostState({ facts: os({ packages: 'rpm', architecture: 'x86_64' }) });
    await assert.rejects(choose(file, red), coded('package.format'));
    const rpm = { ...file, format: 'rpm', architecture: 'x86_64' } as const;
    assert.equal(await choose(rpm, red), rpm);
    assert.equal((await choose({ ...rpm, architecture: 'noarch' }, red))?.architecture, 'noarch');
  });

  it('is installed only where it is not there in this version', async () => {
    const step = (version: string) => packageStep(work(new NotingHost(hostState({ packages: installed(version) }))), file);
    assert.equal((await step('1.31.0').preview()).needed, false);
    const { needed, details } = await step('1.30.0').preview();
    assert.equal(needed, true);
    assert.deepEqual(details.at(-1), { kind: 'command', commandLine: 'dpkg -i sidecar_1.31.0_amd64.deb' });
  });

  it('needs tools by the names that the system has for them', () => {
    const needs = [
      { program: 'ip', package: 'iproute2', rpm: 'iproute' },
      { program: 'sudo', package: 'sudo' },
    ];
    assert.deepEqual(missingTools({ ...plainSidecar, needs }, hostState({ programs: { sudo: true } })), ['iproute2']);
    assert.deepEqual(missingTools({ ...plainSidecar, needs }, hostState({ facts: os({ packages: 'rpm' }) })), ['iproute', 'sudo']);
  });
});
