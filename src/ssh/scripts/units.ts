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

/**
 * Processes that a unit started and that its stop does not reach: `su` has a session opened (pam_systemd), and it and its child leave the unit's
 * cgroup for the session's. strays UNIT prints `pid start-time` of each; end_strays FILE ends those that are still the same process.
 */
const STRAYS = `
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
below() { for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do echo "$child"; below "$child"; done; }
strays() {
  main=$(systemctl show -p MainPID --value -- "$1")
  group=$(systemctl show -p ControlGroup --value -- "$1")
  if [ "\${main:-0}" = 0 ] || [ -z "$group" ]; then return 0; fi
  for pid in $(below "$main"); do
    grep -qF ":$group" "/proc/$pid/cgroup" 2>/dev/null || echo "$pid $(born "$pid")"
  done
}
end_strays() {
  for signal in TERM TERM TERM TERM TERM TERM KILL; do
    left=
    while read -r pid born; do
      if [ -n "$born" ] && [ "$(born "$pid")" = "$born" ]; then left=y; kill -$signal "$pid" 2>/dev/null; fi
    done <"$1"
    [ -n "$left" ] || return 0
    sleep 0.5
  done
}`;

/** Remembers the strays of units that stop, and ends them afterwards; a unit with strays is stopped before it is started anew. */
function clean(units: readonly string[]): { readonly before: readonly string[]; readonly after: readonly string[] } {
  if (units.length === 0) return { before: [], after: [] };
  return {
    before: [`for unit in ${words(units)}; do strays "$unit" >"$1/strays-$unit"; done`],
    after: [
      `for unit in ${words(units)}; do if [ -s "$1/strays-$unit" ]; then timeout 110 systemctl stop -- "$unit"; end_strays "$1/strays-$unit"; fi; done`,
    ],
  };
}

/** The script of a job that changes units. Its result: `ok`, or `failed` with the units that did not stay active. */
export function unitJob(change: UnitChange, settleMs: number): string {
  const step = (verb: string, names: readonly string[] | undefined): string[] =>
    (names ?? []).length === 0 ? [] : [`timeout 110 systemctl ${verb} -- ${words(names ?? [])} || code=failed`];
  const started = [...(change.start ?? []), ...(change.restart ?? [])];
  return [
    'exec >"$1/log" 2>&1 </dev/null',
    'LC_ALL=C; export LC_ALL; code=ok; bad=',
    STRAYS,
    'restarts() { systemctl show -p NRestarts -p InvocationID -- "$1"; }',
    ...clean([...(change.stop ?? []), ...(change.restart ?? [])]).before,
    ...step('stop', change.stop),
    ...clean([...(change.stop ?? []), ...(change.restart ?? [])]).after,
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
