#!/bin/bash
# Stand-in for istio-iptables.sh of Istio 1.0.3's sidecar package, written from citadel facts 4: captures TCP to
# ISTIO_SERVICE_CIDR (empty: none) and from outside to ISTIO_INBOUND_PORTS (empty: none) in chains ISTIO_* of the nat table.
# A variable in sidecar.env wins over the same one in cluster.env here, the other way round than in istio-start.sh.
#   istio-iptables.sh          set the rules anew, then print them
#   istio-iptables.sh clean    take the IPv4 rules away; the IPv6 ones stay, as with the real one
set -e

for config in "${ISTIO_CLUSTER_CONFIG:-/var/lib/istio/envoy/cluster.env}" "${ISTIO_SIDECAR_CONFIG:-/var/lib/istio/envoy/sidecar.env}"; do
  if [[ -r $config ]]; then
    # shellcheck disable=SC1090
    source "$config"
  fi
done

nat() { iptables -w 10 -t nat "$@"; }

clean() {
  nat -D PREROUTING -p tcp -j ISTIO_INBOUND 2>/dev/null || true
  nat -D OUTPUT -p tcp -j ISTIO_OUTPUT 2>/dev/null || true
  for step in -F -X; do
    for chain in ISTIO_INBOUND ISTIO_OUTPUT ISTIO_IN_REDIRECT ISTIO_REDIRECT; do
      nat "$step" "$chain" 2>/dev/null || true
    done
  done
}

inbound() {
  [[ -n ${ISTIO_INBOUND_PORTS:-} ]] || return 0
  nat -N ISTIO_INBOUND
  nat -A PREROUTING -p tcp -j ISTIO_INBOUND
  local port ports
  if [[ $ISTIO_INBOUND_PORTS == '*' ]]; then
    IFS=, read -ra ports <<<"22,${ISTIO_LOCAL_EXCLUDE_PORTS:-}"
    for port in "${ports[@]}"; do
      nat -A ISTIO_INBOUND -p tcp --dport "$port" -j RETURN
    done
    nat -A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
    return 0
  fi
  IFS=, read -ra ports <<<"$ISTIO_INBOUND_PORTS"
  for port in "${ports[@]}"; do
    nat -A ISTIO_INBOUND -p tcp --dport "$port" -j ISTIO_IN_REDIRECT
  done
}

outbound() {
  nat -N ISTIO_OUTPUT
  nat -A OUTPUT -p tcp -j ISTIO_OUTPUT
  local id cidr cidrs
  # Neither the proxy nor root is ever captured.
  for id in "$(id -u "${ENVOY_USER:-istio-proxy}")" 0; do
    nat -A ISTIO_OUTPUT -m owner --uid-owner "$id" -j RETURN
  done
  for id in "$(id -g "${ENVOY_USER:-istio-proxy}")" 0; do
    nat -A ISTIO_OUTPUT -m owner --gid-owner "$id" -j RETURN
  done
  nat -A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
  IFS=, read -ra cidrs <<<"${ISTIO_SERVICE_EXCLUDE_CIDR:-}"
  for cidr in "${cidrs[@]}"; do
    nat -A ISTIO_OUTPUT -d "$cidr" -j RETURN
  done
  if [[ ${ISTIO_SERVICE_CIDR:-} == '*' ]]; then
    nat -A ISTIO_OUTPUT -j ISTIO_REDIRECT
    return 0
  fi
  IFS=, read -ra cidrs <<<"${ISTIO_SERVICE_CIDR:-}"
  for cidr in "${cidrs[@]}"; do
    nat -A ISTIO_OUTPUT -d "$cidr" -j ISTIO_REDIRECT
  done
  nat -A ISTIO_OUTPUT -j RETURN
}

# Unless told otherwise, IPv6 is shut: whatever rules INPUT had are lost (citadel facts 4).
shut_ipv6() {
  [[ -z ${ENABLE_INBOUND_IPV6:-} ]] || return 0
  ip6tables -w 10 -F INPUT || true
  ip6tables -w 10 -A INPUT -m state --state ESTABLISHED -j ACCEPT || true
  ip6tables -w 10 -A INPUT -j REJECT || true
}

clean
[[ ${1-} != clean ]] || exit 0
trap 'iptables-save -t nat' EXIT
for chain in ISTIO_REDIRECT ISTIO_IN_REDIRECT; do
  nat -N "$chain"
  nat -A "$chain" -p tcp -j REDIRECT --to-ports "${ENVOY_PORT:-15001}"
done
inbound
outbound
shut_ipv6
