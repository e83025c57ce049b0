/**
 * sh functions around dpkg and apt, rpm and dnf, on a shell that has entered the state directory. Their output goes to a file, so that a lost connection does not
 * break them half-way, and the lock stays with them until they end.
 */
export const PACKAGE_FUNCTIONS = `
installed() {
  case $(packaging) in
    rpm) rpm -qa --qf "installed $RPM_LINE" ;;
    *) dpkg-query -W -f 'installed \${Package}\\t\${Version}\\t\${Status}\\n' 2>/dev/null | grep -F ' installed' ;;
  esac
}
# absent_paths PATH... / absent_users NAME... / absent_groups NAME...: which of them are not there yet.
absent_paths() { for path do [ -e "$path" ] || [ -h "$path" ] || printf 'absent path %s\\n' "$path"; done; }
absent_users() { for name do getent passwd "$name" >/dev/null || printf 'absent user %s\\n' "$name"; done; }
absent_groups() { for name do getent group "$name" >/dev/null || printf 'absent group %s\\n' "$name"; done; }
# take_package SIZE SHA256 NAME
take_package() {
  rm -rf -- "$S/package"
  mkdir -m 700 -- "$S/package" && head -c "$1" >"$S/package/$3" || exit 1
  [ "$(sha256sum <"$S/package/$3")" = "$2  -" ] || { echo 'the package arrived damaged' >&2; exit 1; }
}
# quiet COMMAND...: output to $S/package.log; waits for the package database's lock up to a minute. Prints how it ended.
quiet() {
  tries=0
  while :; do
    code=0
    (umask 022; DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; "$@") >"$S/package.log" 2>&1 </dev/null || code=$?
    [ "$code" != 0 ] && grep -q 'lock.*is.*locked\\|Could not get lock\\|Unable to acquire\\|create transaction lock' "$S/package.log" && [ "$tries" -lt 30 ] || break
    tries=$((tries + 1))
    sleep 2
  done
  printf 'ended %s\\n' "$code"
  printf 'said %s\\n' "$(tail -c 8000 "$S/package.log" | base64 -w0)"
  rm -rf -- "$S/package.log" "$S/package"
}
# erase NAME...: removes rpms and what they leave of settings.
erase() {
  settings=$(rpm -qc -- "$@" 2>/dev/null)
  rpm -e -- "$@" || return
  printf '%s\\n' "$settings" | while IFS= read -r path; do
    case $path in /*) rm -f -- "$path.rpmsave" "$path.rpmnew" ;; esac
  done
}
from_repositories() {
  if command -v dnf >/dev/null; then dnf -q -y --setopt=install_weak_deps=False --setopt=timeout=20 --setopt=retries=1 install -- "$@"
  else yum -q -y --setopt=timeout=20 --setopt=retries=1 install -- "$@"; fi
}
`;
