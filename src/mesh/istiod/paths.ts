/** Files of a VM, owners and ports (istiod facts 2.1, 2.4, 2.5). */

export const CLUSTER_ENV = '/var/lib/istio/envoy/cluster.env';
export const MESH = '/etc/istio/config/mesh';
export const ROOT_CERT = '/etc/certs/root-cert.pem';
export const CERT_CHAIN = '/etc/certs/cert-chain.pem';
export const KEY = '/etc/certs/key.pem';
export const TOKEN = '/var/run/secrets/tokens/istio-token';
export const HOSTS = '/etc/hosts';

/** The unit of the sidecar, which reads all of them when it starts. */
export const UNIT = 'istio';
export const OWNER = 'istio-proxy';
/** Where istiod answers XDS and signs certificates. */
export const ISTIOD_PORT = 15012;
