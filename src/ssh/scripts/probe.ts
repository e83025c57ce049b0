/** sh functions that look at a machine and change nothing. Each line is a word and its values; text of unknown content is base64. */
export const PROBE_FUNCTIONS = `
RPM_LINE='%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\tinstall ok installed\\n'
# packaging: which packages the system is made of; either program may be there on top of the other's system.
packaging() {
  if [ -s /var/lib/dpkg/status ] && command -v dpkg-query >/dev/null; then echo deb
  elif command -v rpm >/dev/null; then echo rpm
  fi
}
facts() {
  printf 'clock %s\\n' "$(date +%s.%N)"
  printf 'hostname %s\\n' "$(hostname)"
  printf 'hostip %s\\n' "$(timeout 5 hostname --ip-address 2>/dev/null)"
  ip -o addr show up scope global 2>/dev/null | while read -r _ device _ address _; do printf 'address %s %s\\n' "$device" "$address"; done
  sed -n 's/^\\(ID\\|VERSION_ID\\)=/os &/p' /etc/os-release
  case $(packaging) in
    deb) printf 'packaging deb\\narchitecture %s\\n' "$(dpkg --print-architecture)" ;;
    rpm) printf 'packaging rpm\\narchitecture %s\\n' "$(rpm --eval '%{_arch}')" ;;
    *) printf 'architecture %s\\n' "$(uname -m)" ;;
  esac
  printf 'user %s\\n' "\${SUDO_USER:-$(id -un)}"
  if [ -h /etc/resolv.conf ]; then printf 'resolv link %s\\n' "$(readlink /etc/resolv.conf)"
  elif [ -e /etc/resolv.conf ]; then echo 'resolv file'
  else echo 'resolv absent'; fi
  printf 'booted %s\\n' "$(TZ=UTC systemctl show -p UserspaceTimestamp 2>/dev/null)"
}
port53() {
  ss -lntup 'sport = :53' 2>/dev/null | sed -n 's/^/port53 /p'
}
sudo_kind() {
  if [ "$(id -u)" = 0 ]; then echo 'sudo root'
  elif said=$(sudo -n true 2>&1); then echo 'sudo passwordless'
  elif case $said in *password*) true;; *) false;; esac; then echo 'sudo password'
  else echo 'sudo refused'; fi
}
# text INDEX PATH: small text files without a private key.
text() {
  [ -f "$2" ] && [ "$(stat -L -c %s -- "$2")" -le 262144 ] || return 0
  grep -q 'PRIVATE KEY' -- "$2" 2>/dev/null || printf 'text %s %s\\n' "$1" "$(base64 -w0 -- "$2")"
}
# certificate INDEX PATH: the certificates of a file, which are public; of a private key only its public half, where the machine can tell it.
certificate() {
  [ -f "$2" ] && [ "$(stat -L -c %s -- "$2")" -le 262144 ] || return 0
  printf 'text %s %s\\n' "$1" "$(sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' -- "$2" | base64 -w0)"
  if grep -q 'PRIVATE KEY' -- "$2" && command -v openssl >/dev/null; then
    printf 'public %s %s\\n' "$1" "$(openssl pkey -in "$2" -passin pass: -pubout -outform DER 2>/dev/null </dev/null | base64 -w0)"
  fi
}
# token INDEX PATH: what a JWT claims (RFC 7519), without the signature that makes it one.
token() {
  [ -f "$2" ] && [ "$(stat -L -c %s -- "$2")" -le 65536 ] || return 0
  printf 'claims %s %s\\n' "$1" "$(tr -d '\\r\\n' <"$2" | sed -n 's/^[A-Za-z0-9_-]*\\.\\([A-Za-z0-9_-]*\\)\\.[A-Za-z0-9_-]*$/\\1/p')"
}
# unit_log UNIT: its last lines. A wrapper's child that opens a session (su) leaves the unit's cgroup and is known by the program's name alone.
unit_log() {
  name=$(systemctl show -p SyslogIdentifier --value -- "$1" 2>/dev/null)
  [ -n "$name" ] || name=$(systemctl show -p ExecStart --value -- "$1" 2>/dev/null | sed -n 's/^{ path=\\([^ ;]*\\) ;.*/\\1/p' | head -n 1)
  name=\${name##*/}
  case $name in '' | sh | bash | dash | env | su | sudo | python*) set -- "$1" ;; *) set -- "$1" + "SYSLOG_IDENTIFIER=$name" ;; esac
  unit=$1
  case $unit in *.*) ;; *) unit=$unit.service ;; esac
  shift
  journalctl -q --no-pager -b -n 15 -o cat "_SYSTEMD_UNIT=$unit" + "UNIT=$unit" _PID=1 "$@" 2>/dev/null
}
units() {
  for unit do
    echo 'unit'
    state=$(TZ=UTC systemctl show -p LoadState -p ActiveState -p SubState -p UnitFileState -p NRestarts -p ActiveEnterTimestamp -- "$unit" 2>/dev/null)
    [ -z "$state" ] || printf '%s\\n' "$state" | sed 's/^/unit /'
    case $state in
      *ActiveState=active* | *LoadState=not-found*ActiveState=inactive*) ;;
      *) printf 'log %s\\n' "$(unit_log "$unit" | base64 -w0)" ;;
    esac
  done
}
packages() {
  case $(packaging) in
    rpm) rpm -q --qf "package $RPM_LINE" -- "$@" 2>/dev/null | grep "$tab" ;;
    *) dpkg-query -W -f 'package \${Package}\\t\${Version}\\t\${Status}\\n' "$@" 2>/dev/null ;;
  esac
}
programs() {
  for program do command -v "$program" >/dev/null && printf 'program %s\\n' "$program"; done
}
# resolve NAME...: addresses as programs here get them, at most 10 s each.
resolve() {
  for name do timeout 10 getent ahosts "$name" 2>/dev/null | while read -r address _; do printf 'resolved %s %s\\n' "$name" "$address"; done; done
}
`;
