/**
 * sh functions of one all-or-nothing change of files. The caller has entered the state directory (lock held, broken pushes repaired).
 * Order: waiting directories beside the targets, new files complete and synced, hard links to what is there, journal synced, renames, journal gone.
 * Whatever fails or stops the shell before the journal is gone, the exit trap (or the next contact's `recover`) puts everything back.
 */
export const TRANSACTION_FUNCTIONS = `
# begin DIRS MADE JOURNAL: sizes of the three lists that follow on stdin. head, unlike printf, says why it could not write.
begin() {
  umask 077
  set -e
  trap 'code=$?; trap "" TERM INT HUP; set +e; recover || exit 79; tidy; exit $code' EXIT
  trap 'exit 143' TERM INT HUP
  trap '' PIPE
  head -c "$1" >"$S/dirs"
  head -c "$2" >"$S/made"
  head -c "$3" >"$S/journal.new"
  sync -- "$S/made" "$S/dirs" "$S/journal.new" "$S"
}
wait_in() {
  for dir do
    if [ -e "$dir/$T" ] || [ -h "$dir/$T" ]; then rm -rf -- "$dir/$T"; fi
    mkdir -m 700 -- "$dir/$T"
  done
}
# receive INDEX DIRECTORY SIZE: the next SIZE bytes of stdin.
receive() (
  at "$2" || exit
  head -c "$3" >"./new-$1"
)
# copy INDEX DIRECTORY SOURCE: a kept file, with everything it had.
copy() (
  at "$2" || exit
  cp -a -T -- "$3" "./new-$1"
)
# owned DIRECTORY OWNER NAME... / moded DIRECTORY MODE NAME...
owned() (
  at "$1" || exit
  shift
  chown -h -- "$@"
)
moded() (
  at "$1" || exit
  shift
  chmod -- "$@"
)
# dress DIRECTORY MODE OWNER:GROUP: goes in first, so that a link put in its place is not followed.
dress() (
  cd -P -- "$1" && [ "$PWD" = "$1" ] || { echo "$1" >&2; return 76; }
  chown -- "$3" . && chmod -- "$2" .
)
# keep PATH DESTINATION: what is there now, in root's own directory.
keep() {
  if [ -e "$2" ] || [ -h "$2" ]; then rm -rf -- "$2"; fi
  cp -a -T -- "$1" "$2"
}
# hold INDEX DIRECTORY NAME: another name for what is there, so that it can come back as it is.
hold() (
  at "$2" || exit
  ln -P -T -- "../$3" "./old-$1"
)
# flush PATH...: to the disk, links left out.
flush() {
  count=$#
  for path do if [ ! -h "$path" ]; then set -- "$@" "$path"; fi; done
  shift "$count"
  sync -- "$@"
}
journal() {
  flush "$@"
  mv -f -- "$S/journal.new" "$S/journal"
  sync -- "$S"
}
# replace INDEX DIRECTORY NAME
replace() (
  at "$2" || exit
  if [ -d "../$3" ] && [ ! -h "../$3" ]; then echo "$2/$3" >&2; exit 77; fi
  mv -fT -- "./new-$1" "../$3"
)
# take_away DIRECTORY NAME
take_away() (
  at "$1" || exit
  rm -f -- "../$2"
)
commit() {
  flush "$@"
  rm -f -- "$S/journal"
  sync -- "$S"
  trap '' TERM INT HUP
  set +e
  rm -f -- "$S/made"
  recover
  trap tidy EXIT
}
`;

/**
 * `place PATH...` prints where each file really goes, and what is missing on the way:
 *   place <physical directory of the nearest existing parent>TAB<path>
 * and ends with 76 where a link on the way could have been made by somebody other than root.
 */
export const PLACE_FUNCTIONS = `
place() {
  known=
  for path do
    dir=\${path%/*}
    if [ -n "$known" ] && [ "$dir" = "$looked" ]; then
      printf 'place %s\\t%s\\t%s\\n' "$known" "$at" "$path"
      continue
    fi
    looked=$dir
    at=\${dir:-/}
    while [ "$at" != / ]; do
      if [ -h "$at" ]; then
        up=\${at%/*}
        if [ "$(stat -c %u -- "$at")" != 0 ] || [ "$(stat -c %u -- "\${up:-/}")" != 0 ]; then echo "$at" >&2; exit 76; fi
      fi
      at=\${at%/*}
      at=\${at:-/}
    done
    at=\${dir:-/}
    while [ ! -d "$at" ]; do
      if [ -e "$at" ] || [ -h "$at" ]; then echo "$at" >&2; exit 77; fi
      at=\${at%/*}
      at=\${at:-/}
    done
    known=$(cd -P -- "$at" && pwd -P)
    printf 'place %s\\t%s\\t%s\\n' "$known" "$at" "$path"
  done
}
`;
