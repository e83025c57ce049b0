// Stands for Citadel of Istio 1.0.3 (citadel facts 6 and 10): it keeps a self-signed CA in the secret istio-ca-secret,
// writes istio.<service account> for every service account, puts it back when it is deleted, refreshes it when half its
// life is over or the root has changed, and signs the node agents' requests on :8060 for the identity of their client
// certificate. Not here: plugged-in CAs, GCP credentials, the federation flags.
package main

import (
	"context"
	"flag"
	"net"
	"strings"
	"time"

	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/kube"
)

// options carry the real flag names where one exists.
type options struct {
	kubeconfig, namespace, trustDomain, address string
	hostnames                                   []string
	rootTTL, certTTL, maxCertTTL, gracePeriod   time.Duration
}

func parse() options {
	var o options
	var hostnames string
	flag.StringVar(&o.kubeconfig, "kube-config", "", "kubeconfig of the cluster")
	flag.StringVar(&o.namespace, "citadel-storage-namespace", "istio-system", "namespace of istio-ca-secret")
	flag.StringVar(&o.trustDomain, "trust-domain", "cluster.local", "trust domain of the identities and organization of the CA")
	flag.StringVar(&hostnames, "grpc-hostname", "istio-ca,istio-citadel", "DNS names in the certificate of :8060")
	flag.StringVar(&o.address, "address", "", "address to listen on")
	flag.DurationVar(&o.rootTTL, "self-signed-ca-cert-ttl", 365*24*time.Hour, "lifetime of the root, used when it is made")
	flag.DurationVar(&o.certTTL, "workload-cert-ttl", 90*24*time.Hour, "lifetime of the certificates in secrets")
	flag.DurationVar(&o.maxCertTTL, "max-workload-cert-ttl", 90*24*time.Hour, "longest lifetime a request may ask for")
	flag.DurationVar(&o.gracePeriod, "workload-cert-min-grace-period", 10*time.Minute, "refresh at least this long before the end")
	flag.Parse()
	o.hostnames = strings.Split(hostnames, ",")
	return o
}

func main() {
	o := parse()
	client, err := kube.Client(o.kubeconfig)
	if err != nil {
		eralog.Fatal("%v", err)
	}
	ctx := context.Background()
	ca := loadAuthority(ctx, client, o)
	listener, err := net.Listen("tcp", net.JoinHostPort(o.address, "8060"))
	if err != nil {
		eralog.Fatal("%v", err)
	}
	go newSecretController(client, ca, o).run(ctx)
	eralog.Info("Istio CA has started; signing on %s", listener.Addr())
	eralog.Fatal("%v", serve(listener, ca, o))
}
