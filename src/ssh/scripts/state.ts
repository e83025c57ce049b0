/** Where everything about this project is kept on a VM: root's, mode 0700, no secret but earlier generations of the files themselves. */
export const STATE_DIRECTORY = '/var/lib/mesh-expansion';
/** Where files wait beside their targets. The dot hides it from dnsmasq, which reads every other name in its directory. */
export const WAITING = '.mesh-expansion';

/**
 * sh functions for everything that reads or changes the state directory.
 * `recover` undoes a push that a kill or a power cut broke. Files of a push in progress:
 *   dirs     the target directories that may hold a waiting directory, one a line
 *   made     directories the push made, innermost first
 *   journal  index, directory, name and `old` or `absent` of each target, tab separated: present while targets are being replaced.
 * A target `name` was replaced when <directory>/.mesh-expansion/new-<index> is gone; old-<index> is a hard link to what was there before.
 */
export const STATE_FUNCTIONS = `
S=${STATE_DIRECTORY}
T=${WAITING}
tab=$(printf '\\t')
lock() {
  exec 9>>"$S/lock" || exit 1
  flock -w 60 9 || exit 75
}
# Makes the directory where it is missing, and takes the lock of the one that is there when it has it.
enter() {
  while :; do
    if [ ! -d "$S" ]; then mkdir -p -m 700 -- "$S" || exit 1; fi
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
# at DIRECTORY: goes into the waiting directory beside the targets. The owner of a target's directory may not be root: what was put there instead of
# ours, or a link on the way, is not entered; once inside, nobody else can change what the names in it mean.
at() {
  cd -P -- "$1/$T" && [ -O . ] && { [ "$1" = "$S" ] || [ "$PWD" = "$1/$T" ]; } || { echo "$1/$T" >&2; return 76; }
}
undo_one() (
  at "$2" || exit
  if [ "$4" = absent ]; then
    if [ ! -e "./new-$1" ] && [ ! -h "./new-$1" ]; then rm -f -- "../$3"; fi
  elif [ -e "./old-$1" ] || [ -h "./old-$1" ]; then
    [ "./old-$1" -ef "../$3" ] || mv -fT -- "./old-$1" "../$3"
  fi
)
undo_targets() {
  while IFS=$tab read -r index dir name before; do
    undo_one "$index" "$dir" "$name" "$before" || return 1
  done <"$S/journal"
}
recover() {
  if [ -e "$S/journal" ]; then
    undo_targets || return 1
    sync
    rm -f -- "$S/journal" || return 1
  fi
  if [ -e "$S/dirs" ]; then
    while IFS= read -r dir; do rm -rf -- "$dir/$T"; done <"$S/dirs"
    if [ -e "$S/made" ]; then
      while IFS= read -r dir; do rmdir -- "$dir" 2>/dev/null; done <"$S/made"
    fi
    rm -f -- "$S/dirs" "$S/made" "$S/journal.new"
  fi
  return 0
}
manifest() {
  [ ! -e "$S/manifest.json" ] || printf 'manifest %s\\n' "$(base64 -w0 -- "$S/manifest.json")"
}
`;

/** Reads the manifest without making anything; a broken push is repaired first. */
export const LOOK = `
if [ -d "$S" ]; then
  if [ -e "$S/journal" ] || [ -e "$S/dirs" ]; then lock; recover || exit 79; fi
  manifest
fi`;
