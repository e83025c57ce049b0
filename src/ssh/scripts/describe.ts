/**
 * `describe path...` prints about each path that exists:
 *   stat <mode hex> <owner> <group> <size> <path>      of the thing itself, links not followed
 *   linked <mode hex> <owner> <group> <size> <path>    of what a link leads to
 *   leads <link's text>TAB<path>
 *   hashes <sha256>  <path>NUL...                      regular files, links followed
 * Paths hold no control characters (words.ts), so lines are safe; -z keeps sha256sum from escaping names.
 */
export const DESCRIBE_FUNCTIONS = `
describe() {
  stat --printf='stat %f %U %G %s %n\\n' -- "$@" 2>/dev/null
  regular=
  for path do
    if [ -h "$path" ]; then
      printf 'leads %s\\t%s\\n' "$(readlink -- "$path")" "$path"
      stat -L --printf='linked %f %U %G %s %n\\n' -- "$path" 2>/dev/null
    fi
    if [ -f "$path" ]; then regular=y; fi
  done
  [ -z "$regular" ] || hashes "$@"
}
hashes() {
  count=$#
  for path do if [ -f "$path" ]; then set -- "$@" "$path"; fi; done
  shift "$count"
  printf 'hashes '
  sha256sum -z -- "$@" 2>/dev/null
  echo
}
`;
