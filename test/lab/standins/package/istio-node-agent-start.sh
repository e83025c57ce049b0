#!/bin/bash
# Stand-in for istio-node-agent-start.sh of Istio 1.0.3's sidecar package, written from citadel facts 4 and 6: what ExecStart
# of istio-auth-node-agent.service runs. The agent runs as istio-proxy. Where su opens a systemd session (pam_systemd), its
# log lines belong to that session, not to the unit: `journalctl -t istio-node-agent-start.sh` finds them, `-u` does not.
# The real script does not exec su, so there stopping the unit can leave the agent running; this one does.
set -e

for config in "${ISTIO_SIDECAR_CONFIG:-/var/lib/istio/envoy/sidecar.env}" "${ISTIO_CLUSTER_CONFIG:-/var/lib/istio/envoy/cluster.env}"; do
  if [[ -r $config ]]; then
    # shellcheck disable=SC1090
    source "$config"
  fi
done

certs=${CERTS_DIR:-/etc/certs}
command="${ISTIO_BIN_BASE:-/usr/local/bin}/node_agent --ca-address ${CITADEL_ADDRESS:-istio-citadel:8060} --cert-chain $certs/cert-chain.pem --key $certs/key.pem --root-cert $certs/root-cert.pem --env ${CITADEL_ENV:-onprem}"
user=${EXEC_USER:-istio-proxy}

if [[ $user == "${USER:-}" ]]; then
  exec $command
else
  exec su -s /bin/sh -c "exec $command" "$user"
fi
