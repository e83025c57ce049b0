/**
 * sh functions of one all-or-nothing change of files. The caller has entered the state directory (lock held, broken pushes repaired).
 * Order: waiting directories beside the targets, new files complete, hard links to what is there, journal, all of it synced, renames, synced, waiting
 * directories gone. Whatever fails or stops the shell before the renames are synced, the exit trap puts everything back; what a kill or a power cut leaves,
 * the next contact's `recover` does.
 * Every process costs a machine about a millisecond, and what is common is done in one for all files of a directory, or by the shell itself.
 */
export const TRANSACTION_FUNCTIONS = `
begin() {
  umask 077
  # Were it a program, ps would show what is written.
  PATH=/ printf %b '' || { echo 'printf is no part of /bin/sh' >&2; exit 1; }
  set -e
  trap 'code=$?; trap "" TERM INT HUP; set +e; recover all || exit 79; tidy; exit $code' EXIT
  trap 'exit 143' TERM INT HUP
  trap '' PIPE
}
# put FILE TEXT: TEXT is printf's %b. Where it cannot be written, cat tries once more and, unlike printf, says why.
put() {
  printf %b "$2" 2>/dev/null >"$1" || printf %b "$2" | cat >"$1"
}
# intend DIRS MADE: what the next contact needs to clear away.
intend() {
  put "$S/made" "$2"
  put "$S/dirs" "$1"
  sync -- "$S/made" "$S/dirs" "$S"
}
# wait_in DIRECTORY...: new directories of root's own.
wait_in() {
  for dir do if present "$dir"; then rm -rf -- "$dir"; fi; done
  mkdir -m 700 -- "$@"
}
# into DIRECTORY: among its new files, where \`put\` and \`cp\` make them.
into() { at "$1" "$T" || exit; }
# own DIRECTORY OWNER:GROUP NAME... / set_mode DIRECTORY MODE NAME...
own() {
  into "$1"
  owner=$2
  shift 2
  if [ "$owner" = root:root ] && rooted "$@"; then return 0; fi
  chown -h -- "$owner" "$@"
}
set_mode() {
  into "$1"
  shift
  chmod -- "$@"
}
# rooted NAME...: whether root made them so; /proc is root's and root's group's on every Linux.
rooted() {
  [ -G /proc ] || return 1
  for name do [ -O "$name" ] && [ -G "$name" ] || return 1; done
}
# dress DIRECTORY MODE OWNER:GROUP: goes in first, so that a link put in its place is not followed.
dress() {
  cd -P -- "$1" && [ "$PWD" = "$1" ] || { echo "$1" >&2; exit 76; }
  chown -- "$3" .
  chmod -- "$2" .
}
# keep PATH DESTINATION: what is there now, in root's own directory.
keep() {
  if present "$2"; then rm -rf -- "$2"; fi
  cp -a -T -- "$1" "$2"
}
# hold DIRECTORY ../NAME...: other names for what is there, so that it can come back as it is.
hold() {
  at "$1" "$O" || exit
  shift
  ln -P -t . -- "$@"
}
# flush PATH...: to the disk, links left out.
flush() {
  count=$#
  for path do if [ ! -h "$path" ]; then set -- "$@" "$path"; fi; done
  shift "$count"
  sync -- "$@"
}
# replace DIRECTORY NAME...
replace() {
  into "$1"
  dir=$1
  shift
  for name do if [ -d "../$name" ] && [ ! -h "../$name" ]; then echo "$dir/$name" >&2; exit 77; fi; done
  mv -f -t .. -- "$@"
}
# take_away DIRECTORY ../NAME...
take_away() {
  at "$1" "$O" || exit
  shift
  rm -f -- "$@"
}
# commit PATH...: nothing is undone any more; the paths go with what the push needed.
commit() {
  trap '' TERM INT HUP
  set +e
  clear "$S/dirs" "$S/made" "$S/journal" "$@"
  trap tidy EXIT
}
`;

/**
 * `place PATH...` prints where each file really goes, and what is missing on the way:
 *   place <physical directory of the nearest existing parent>TAB<that parent as it was asked for>TAB<path>
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
    cd -P -- "$at" || exit 1
    known=$PWD
    printf 'place %s\\t%s\\t%s\\n' "$known" "$at" "$path"
  done
}
`;
