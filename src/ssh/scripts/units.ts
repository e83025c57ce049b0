import type { UnitChange } from '../../mesh/ports.ts';
import { words } from '../words.ts';

/**
 * A job is a script in root's own directory that systemd runs, with its result in a file: it does not end with the connection that asked for it.
 * start_job ID SIZE: takes SIZE bytes of stdin as the script. read_job ID: waits for the result and prints it. end_job ID: stops it and
 * forgets it; a part of its own, so that a shell that outlived its connection does not remove a result that nobody has read.
 */
export const JOB_FUNCTIONS = `
start_job() {
  command -v systemd-run >/dev/null || { echo 'systemd-run: not found' >&2; exit 1; }
  mkdir -p -m 700 -- "$S/jobs/$1" || exit 1
  head -c "$2" >"$S/jobs/$1/script" || exit 1
  systemd-run --quiet --unit="mesh-expansion-$1" /bin/sh "$S/jobs/$1/script" "$S/jobs/$1" </dev/null 9>&- || exit 1
}
read_job() {
  while [ -d "$S/jobs/$1" ] && [ ! -e "$S/jobs/$1/result" ]; do sleep 0.2; done
  if [ -e "$S/jobs/$1/result" ]; then
    printf 'result %s\\n' "$(cat -- "$S/jobs/$1/result")"
    printf 'said %s\\n' "$(base64 -w0 -- "$S/jobs/$1/log")"
  fi
}
end_job() {
  systemctl stop -- "mesh-expansion-$1.service" 2>/dev/null
  rm -rf -- "$S/jobs/$1"
  rmdir -- "$S/jobs" 2>/dev/null
}
`;

/** The script of a job that changes units. Its result: `ok`, or `failed` with the units that did not stay active. */
export function unitJob(change: UnitChange, settleMs: number): string {
  const step = (verb: string, names: readonly string[] | undefined): string[] =>
    (names ?? []).length === 0 ? [] : [`timeout 110 systemctl ${verb} -- ${words(names ?? [])} || code=failed`];
  const started = [...(change.start ?? []), ...(change.restart ?? [])];
  return [
    'exec >"$1/log" 2>&1 </dev/null',
    'LC_ALL=C; export LC_ALL; code=ok; bad=',
    'restarts() { systemctl show -p NRestarts -p InvocationID -- "$1"; }',
    ...step('stop', change.stop),
    ...step('disable', change.disable),
    ...step('enable', change.enable),
    ...step('start', change.start),
    ...step('restart', change.restart),
    ...(started.length === 0
      ? []
      : [
          // A unit that restarts itself looks active in between: it must be the same run before and after.
          `i=0; for unit in ${words(started)}; do i=$((i + 1)); restarts "$unit" >"$1/run-$i"; done`,
          `sleep ${Math.ceil(settleMs / 100) / 10}`,
          `i=0; for unit in ${words(started)}; do i=$((i + 1)); [ "$(systemctl is-active -- "$unit")" = active ] && restarts "$unit" | cmp -s - "$1/run-$i" || bad="$bad $unit"; done`,
        ]),
    '[ -z "$bad" ] || code=failed$bad',
    'printf \'%s\\n\' "$code" >"$1/result.new"',
    'mv -f -- "$1/result.new" "$1/result"',
  ].join('\n');
}
