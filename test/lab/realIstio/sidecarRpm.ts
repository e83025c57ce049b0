// istio-sidecar as an rpm: what Istio's packaging.mk asks fpm for (istiod facts 2.1), made by rpmbuild out of the contents of the lab's .deb.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { aptInstall } from '../toolchain/apt.ts';
import { run } from '../toolchain/run.ts';

/** Builds the .rpm of a .deb into a directory and gives its path. Throws CommandError when rpmbuild fails. */
export async function sidecarRpm(context: BuildContext, deb: string, into: string): Promise<string> {
  await aptInstall(context, ['rpm']);
  const work = await mkdtemp(path.join(os.tmpdir(), 'lab-rpm-'));
  try {
    const contents = path.join(work, 'contents');
    await run(['dpkg-deb', '-R', deb, contents], { timeout: 120_000 });
    const control = (name: string) => readFile(path.join(contents, 'DEBIAN', name), 'utf8');
    const [fields, settings, script] = await Promise.all([control('control'), control('conffiles'), control('postinst')]);
    await rm(path.join(contents, 'DEBIAN'), { recursive: true });
    const version = /^Version: (.*)$/m.exec(fields)?.[1] ?? '';
    const files = (await readdir(contents, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => `/${path.relative(contents, path.join(entry.parentPath, entry.name))}`);
    return await build(work, into, {
      ...{ name: 'istio-sidecar', version, requires: ['iproute', 'iptables', 'sudo', 'hostname'], provides: [] },
      ...{ contents, script, files: files.map((file) => (settings.split('\n').includes(file) ? `%config(noreplace) ${file}` : file)) },
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An rpm without files that stands for what a system of rpms has: rpm's database of a Debian knows of nothing. */
export async function providingRpm(context: BuildContext, provides: readonly string[], into: string): Promise<string> {
  await aptInstall(context, ['rpm']);
  const work = await mkdtemp(path.join(os.tmpdir(), 'lab-rpm-'));
  try {
    return await build(work, into, { name: 'lab-system', version: '9', requires: [], provides, contents: '', script: '', files: [] });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Spec {
  readonly name: string;
  readonly version: string;
  readonly requires: readonly string[];
  readonly provides: readonly string[];
  /** Directory of the files; empty for none. */
  readonly contents: string;
  readonly script: string;
  /** Lines of %files. */
  readonly files: readonly string[];
}

async function build(work: string, into: string, { name, version, requires, provides, contents, script, files }: Spec): Promise<string> {
  const spec = path.join(work, `${name}.spec`);
  await writeFile(
    spec,
    [
      ...[`Name: ${name}`, `Version: ${version}`, 'Release: 1', 'Summary: Lab', 'License: Apache', 'AutoReqProv: no'],
      ...requires.map((one) => `Requires: ${one}`),
      ...provides.map((one) => `Provides: ${one}`),
      ...['%description', 'Lab', '%install', contents === '' ? ':' : `cp -a ${contents}/. %{buildroot}/`],
      ...(script === '' ? [] : ['%post', script]),
      ...['%files', '%defattr(-,root,root,-)', ...files, ''],
    ].join('\n'),
  );
  const defined = {
    _topdir: work,
    _rpmdir: into,
    _build_id_links: 'none',
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
    _binary_payload: 'w1.gzdio',
  };
  await mkdir(into, { recursive: true });
  await run(['rpmbuild', '-bb', '--quiet', ...Object.entries(defined).flatMap(([key, value]) => ['--define', `${key} ${value}`]), spec], {
    timeout: 300_000,
  });
  const made = (await readdir(into, { recursive: true })).find((file) => path.basename(file).startsWith(`${name}-${version}-`));
  if (made === undefined) throw new Error(`rpmbuild made no ${name}`);
  return path.join(into, made);
}
