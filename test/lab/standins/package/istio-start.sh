#!/bin/bash
# Stand-in for istio-start.sh of Istio 1.0.3's sidecar package, written from citadel facts 4: what ExecStart of istio.service
# runs. Both files are optional; a variable in cluster.env wins over the same one in sidecar.env here.
set -e

for config in "${ISTIO_SIDECAR_CONFIG:-/var/lib/istio/envoy/sidecar.env}" "${ISTIO_CLUSTER_CONFIG:-/var/lib/istio/envoy/cluster.env}"; do
  if [[ -r $config ]]; then
    # shellcheck disable=SC1090
    source "$config"
  fi
done

bin=${ISTIO_BIN_BASE:-/usr/local/bin}
logs=${ISTIO_LOG_DIR:-/var/log/istio}

case ${1-} in
  clean)
    exec "$bin/istio-iptables.sh" clean
    ;;
  init | -p)
    exec "$bin/istio-iptables.sh"
    ;;
esac

namespace=${ISTIO_NAMESPACE:-default}
service=${ISTIO_SERVICE:-rawvm}
policy=${ISTIO_CP_AUTH:-MUTUAL_TLS}
pilot=${PILOT_ADDRESS:-istio-pilot.${ISTIO_SYSTEM_NAMESPACE:-istio-system}:${ISTIO_PILOT_PORT:-15011}}
user=${EXEC_USER:-istio-proxy}
address=${ISTIO_SVC_IP:-$(hostname --ip-address)}
name=${POD_NAME:-$(hostname -s)}

if [[ ${ISTIO_INBOUND_INTERCEPTION_MODE:-REDIRECT} == TPROXY ]]; then
  echo "this stand-in does not do TPROXY" >&2
  exit 1
fi

"$bin/istio-iptables.sh"

# One long word on purpose: it is what `ps` shows on a real machine.
exec su -s /bin/bash -c "INSTANCE_IP=$address POD_NAME=$name POD_NAMESPACE=$namespace exec $bin/pilot-agent proxy ${ISTIO_AGENT_FLAGS:-} --serviceCluster $service --discoveryAddress $pilot --controlPlaneAuthPolicy $policy 2> $logs/istio.err.log > $logs/istio.log" "$user"
