// Stands for Pilot of Istio 1.0.3 (citadel facts 7 and 10): its HTTP answers on :8080, built from the Services and
// Endpoints of the API server, and discovery for sidecars on 15010 (plain) and 15011 (mTLS with certificates of Citadel's
// CA). The discovery messages are ours (internal/discovery), the ports and the transport are the real ones'. Not here:
// Istio's own resources (virtual services, destination rules, service entries), 9093's full set of metrics.
package main

import (
	"context"
	"flag"
	"net"
	"net/http"
	"time"

	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/kube"
)

type options struct {
	kubeconfig, namespace, account, domain, trustDomain, address, version string
	mutualTLS                                                             bool
}

func parse() options {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster")
	flag.StringVar(&o.namespace, "namespace", "istio-system", "Pilot's own namespace")
	flag.StringVar(&o.account, "service-account", "istio-pilot-service-account", "Pilot's service account: its secret istio.<account> holds the certificate of 15011")
	flag.StringVar(&o.domain, "domain", "cluster.local", "DNS domain of the services")
	flag.StringVar(&o.trustDomain, "trust-domain", "cluster.local", "trust domain of the identities")
	flag.StringVar(&o.address, "address", "", "address to listen on")
	flag.StringVar(&o.version, "version", "1.0.3-a44d4c8bcb427db16ca4a439adfbd8d9361b8ed3-Clean", "what /version answers")
	flag.BoolVar(&o.mutualTLS, "mutual-tls", true, "serve 15011; false is a control plane with controlPlaneSecurityEnabled: false")
	flag.Parse()
	return o
}

func main() {
	o := parse()
	client, err := kube.Client(o.kubeconfig)
	if err != nil {
		eralog.Fatal("%v", err)
	}
	ctx := context.Background()
	services := newRegistry(client, o)
	go services.run(ctx)
	sidecars := newSidecars(services)
	failed := make(chan error)
	start := func(port string, serve func(net.Listener) error) {
		listener, err := net.Listen("tcp", net.JoinHostPort(o.address, port))
		if err != nil {
			eralog.Fatal("%v", err)
		}
		eralog.Info("listening on %s", listener.Addr())
		go func() { failed <- serve(listener) }()
	}
	api := &http.Server{Handler: routes(services, sidecars, o), ReadHeaderTimeout: 10 * time.Second}
	start("8080", api.Serve)
	start("15010", sidecars.server(nil).Serve)
	if o.mutualTLS {
		identity := watchIdentity(ctx, client, o)
		start("15011", sidecars.server(identity.credentials()).Serve)
	}
	eralog.Fatal("%v", <-failed)
}
