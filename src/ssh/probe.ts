import type { CallOptions, HostState, ProbeRequest } from '../mesh/ports.ts';
import { hostState } from './probeAnswer.ts';
import { DESCRIBE_FUNCTIONS } from './scripts/describe.ts';
import { PROBE_FUNCTIONS } from './scripts/probe.ts';
import { LOOK, STATE_FUNCTIONS } from './scripts/state.ts';
import type { HostSession } from './session.ts';
import { checkName, checkPath, word, words } from './words.ts';

const LIMIT_MS = 60_000;

/**
 * Answers the whole request with one remote command. Files and the manifest are read as root (sudo may ask); the rest as the login user where
 * nothing else is asked for, so that facts tell what sudo would do.
 */
export async function probe(session: HostSession, request: ProbeRequest, options: CallOptions = {}): Promise<HostState> {
  const root = (request.files ?? []).length > 0 || request.manifest === true;
  const script = probeScript(request, root);
  return session.withShellRetried({ ...options, root, limitMs: LIMIT_MS }, async (shell) => {
    const sent = Date.now();
    const lines = await shell.ask(script);
    const received = Date.now();
    await shell.finish();
    return hostState(request, lines, root ? session.sudo : undefined, { sent, received });
  });
}

/** One part for the remote shell; throws `host.path`, `host.word` for a name that cannot be one. */
function probeScript(request: ProbeRequest, root: boolean): string {
  const files = request.files ?? [];
  const parts = [STATE_FUNCTIONS, DESCRIBE_FUNCTIONS, PROBE_FUNCTIONS];
  if (request.manifest === true) parts.push(LOOK);
  // The clock comes first: what follows takes time.
  if (request.facts === true)
    parts.push(
      'facts',
      root
        ? 'port53'
        : 'sudo_kind; if sudo -n true 2>/dev/null; then sudo -n ss -lntup "sport = :53" | sed "s/^/port53 /"; else port53; fi',
    );
  if (files.length > 0) parts.push(`describe ${words(files.map((file) => checkPath(file.path)))}`);
  files.forEach(({ path, want }, index) => {
    if (want === 'text' || want === 'certificate' || want === 'token') parts.push(`${want} ${index} ${word(path)}`);
  });
  if ((request.units ?? []).length > 0) parts.push(`units ${words((request.units ?? []).map(checkName))}`);
  if ((request.packages ?? []).length > 0) parts.push(`packages ${words((request.packages ?? []).map(checkName))}`);
  if ((request.programs ?? []).length > 0) parts.push(`programs ${words((request.programs ?? []).map(checkName))}`);
  if ((request.resolve ?? []).length > 0) parts.push(`resolve ${words((request.resolve ?? []).map(checkName))}`);
  return parts.join('\n');
}
