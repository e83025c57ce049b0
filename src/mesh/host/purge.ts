import type { CallOptions, ProbeRequest, VmHost } from '../ports.ts';

/** Directories that the packages share with others. dpkg takes away one that is empty, also where it was there before the package. */
const shared = ['/usr/local/bin'] as const;

/** Purges packages that this project installed, and leaves the directories they shared as they were. */
export async function purge(host: VmHost, names: readonly string[], options?: CallOptions): Promise<void> {
  const request: ProbeRequest = { files: shared.map((path) => ({ path })) };
  const before = await host.probe(request, options);
  await host.removePackages(names, options);
  const after = await host.probe(request, options);
  for (const { path, kind, mode = 0o755, owner = 'root', group = 'root' } of before.files) {
    if (kind !== 'directory' || after.files.some((file) => file.path === path && file.exists)) continue;
    await host.run(
      {
        argv: ['install', '-d', '-m', (mode & 0o7777).toString(8).padStart(4, '0'), '-o', owner, '-g', group, '--', path],
        asRoot: true,
        timeoutMs: 10_000,
      },
      options,
    );
  }
}
