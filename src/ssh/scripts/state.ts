/** Where everything about this project is kept on a VM: root's, mode 0700, no secret but earlier generations of the files themselves. */
export const STATE_DIRECTORY = '/var/lib/mesh-expansion';
/** Where new files wait beside their targets. The dot hides it from dnsmasq, which reads every other name in its directory. */
export const WAITING = '.mesh-expansion';
/** Beside it: hard links to what is there before the push, under their own names. */
export const HELD = '.mesh-expansion-old';

/**
 * sh functions for everything that reads or changes the state directory.
 * `recover` ends a push that a kill or a power cut broke. Files of a push in progress:
 *   dirs     the target directories that may hold waiting directories, one a line
 *   made     directories the push makes, innermost first, then a line `end`
 *   journal  directory, name, `old` or `absent` (before), `new` or `absent` (after) of each target, tab separated, then a line `end`. It is on the disk
 *            before the first target is replaced, so one that has no end speaks of nothing that happened.
 * A new file is gone from its waiting directory when it has replaced its target. Where all are gone the push is complete, and is left so; else it is undone.
 */
export const STATE_FUNCTIONS = `
S=${STATE_DIRECTORY}
T=${WAITING}
O=${HELD}
tab='\t'
lock() {
  exec 9>>"$S/lock" || exit 1
  flock -w 60 9 || { [ $? != 1 ] || exit 75; exit 1; }
}
# Makes the directory where it is missing, and takes the lock of the one that is there when it has it.
enter() {
  while :; do
    if [ ! -d "$S/generations" ]; then mkdir -p -m 700 -- "$S" "$S/generations" || exit 1; fi
    lock
    [ "$S/lock" -ef "/proc/$$/fd/9" ] && break
  done
  if [ -h "$S" ] || [ ! -O "$S" ]; then echo "$S" >&2; exit 76; fi
  trap 'code=$?; tidy; exit $code' EXIT
  recover || exit 79
}
# Leaves nothing where nothing was done.
tidy() {
  [ -e "$S/manifest.json" ] || [ -e "$S/journal" ] || [ -e "$S/jobs" ] || rm -rf -- "$S"
}
present() { [ -e "$1" ] || [ -h "$1" ]; }
# at DIRECTORY WAITING: goes into a waiting directory beside the targets. The owner of a target's directory may not be root: what was put there instead
# of ours, or a link on the way, is not entered; once inside, nobody else can change what the names in it mean.
at() {
  cd -P -- "$1/$2" && [ -O . ] && { [ "$1" = "$S" ] || [ "$PWD" = "$1/$2" ]; } || { echo "$1/$2" >&2; return 76; }
}
# undo_one DIRECTORY NAME BEFORE
undo_one() {
  if [ "$3" = absent ]; then
    at "$1" "$T" || return
    present "./$2" || rm -f -- "../$2"
  else
    at "$1" "$O" || return
    if present "./$2"; then [ "./$2" -ef "../$2" ] || mv -fT -- "./$2" "../$2"; fi
  fi
}
# undo_targets [all]: a waiting directory that a power cut kept from the disk has replaced nothing; with \`all\` each must be there.
undo_targets() {
  while IFS=$tab read -r dir name before after; do
    case $dir/$before in end/) continue ;; */absent) beside=$dir/$T ;; *) beside=$dir/$O ;; esac
    if [ -z "$1" ] && ! present "$beside"; then continue; fi
    undo_one "$dir" "$name" "$before" || return 1
  done <"$S/journal"
}
# journal_says: sets last to the first word of the last line, and waits where a target is still as it was.
journal_says() {
  last=
  waits=
  while IFS=$tab read -r dir name before after; do
    last=$dir
    case $after in
      new) if present "$dir/$T/$name"; then waits=y; fi ;;
      absent) if present "$dir/$O/$name" && present "$dir/$name"; then waits=y; fi ;;
    esac
  done <"$S/journal"
}
# clear LAST PATH...: takes away the paths, the waiting directories, and LAST where it is not empty.
clear() {
  cd /
  end_with=$1
  shift
  if [ -e "$S/dirs" ]; then
    while IFS= read -r dir; do set -- "$@" "$dir/$T" "$dir/$O"; done <"$S/dirs"
  fi
  rm -rf -- "$@" \${end_with:+"$end_with"}
}
# unmake: takes away the directories that the push made, where they are empty.
unmake() {
  if [ ! -e "$S/made" ]; then return 0; fi
  set --
  while IFS= read -r dir; do
    if [ "$dir" != end ]; then set -- "$@" "$dir"; elif [ $# -gt 0 ]; then rmdir -- "$@" 2>/dev/null; fi
  done <"$S/made"
}
# recover [all]: with \`all\` a complete push is undone too.
recover() {
  if [ ! -e "$S/dirs" ] && [ ! -e "$S/journal" ] && [ ! -e "$S/made" ]; then return 0; fi
  if [ -e "$S/journal" ]; then
    journal_says
    if [ "$last" = end ] && [ -z "$waits$1" ]; then
      # The list goes last: without it nobody would know where to look.
      clear "$S/dirs" "$S/made" "$S/journal"
      return 0
    fi
    if [ "$last" = end ]; then undo_targets "$1" || return 1; fi
    sync
    rm -f -- "$S/journal" && sync -- "$S" || return 1
  fi
  if [ -e "$S/dirs" ]; then
    clear ''
    unmake
  fi
  rm -f -- "$S/dirs" "$S/made"
  return 0
}
manifest() {
  if [ -e "$S/manifest.json" ]; then
    printf 'manifest '
    base64 -w0 -- "$S/manifest.json"
    echo
  fi
}
`;

/** Reads the manifest without making anything; a broken push is repaired first. */
export const LOOK = `
if [ -d "$S" ]; then
  if [ -e "$S/journal" ] || [ -e "$S/dirs" ]; then lock; recover || exit 79; fi
  manifest
fi`;
