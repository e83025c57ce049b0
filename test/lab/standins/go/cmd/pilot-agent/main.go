// Stands for pilot-agent of Istio 1.0.3's sidecar package (citadel facts 4 and 6): checks what the start script gives it,
// writes Envoy's bootstrap from the packaged template, starts Envoy, starts a new epoch when /etc/certs changes, and
// tries again with growing delays when Envoy ends. Not here: status ports, Lightstep and Zipkin settings, custom configs.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"mesh-expansion.lab/standins/internal/eralog"
)

type options struct {
	serviceCluster, discoveryAddress, controlPlaneAuth, binaryPath, configPath, template, domain, logLevel string
}

// parse reads `proxy` and its flags; flags of the real one that change nothing here are accepted.
func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("pilot-agent proxy", pflag.ContinueOnError)
	flags.StringVar(&o.serviceCluster, "serviceCluster", "istio-proxy", "service cluster")
	flags.StringVar(&o.discoveryAddress, "discoveryAddress", "istio-pilot:15007", "address of Pilot, host:port")
	flags.StringVar(&o.controlPlaneAuth, "controlPlaneAuthPolicy", "NONE", "NONE or MUTUAL_TLS")
	flags.StringVar(&o.binaryPath, "binaryPath", "/usr/local/bin/envoy", "path of Envoy")
	flags.StringVar(&o.configPath, "configPath", "/etc/istio/proxy", "directory of the generated bootstrap")
	flags.StringVar(&o.template, "templateFile", "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json", "template of the bootstrap")
	flags.StringVar(&o.domain, "domain", "", "DNS domain suffix")
	flags.StringVar(&o.logLevel, "proxyLogLevel", "warn", "log level of Envoy")
	if len(args) == 0 || args[0] != "proxy" {
		return o, fmt.Errorf("the only command here is proxy")
	}
	return o, flags.Parse(args[1:])
}

// role is what the environment says about this machine.
type role struct{ ip, name, namespace string }

func readRole() (role, error) {
	r := role{ip: os.Getenv("INSTANCE_IP"), name: os.Getenv("POD_NAME"), namespace: os.Getenv("POD_NAMESPACE")}
	if net.ParseIP(r.ip) == nil {
		return r, fmt.Errorf("INSTANCE_IP %q is not an IP address", r.ip)
	}
	if r.name == "" || r.namespace == "" {
		return r, fmt.Errorf("POD_NAME %q or POD_NAMESPACE %q is empty", r.name, r.namespace)
	}
	return r, nil
}

func (r role) node(domain string) string {
	if domain == "" {
		domain = r.namespace + ".svc.cluster.local"
	}
	return fmt.Sprintf("sidecar~%s~%s.%s~%s", r.ip, r.name, r.namespace, domain)
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		eralog.Fatal("%v", err)
	}
	who, err := readRole()
	if err != nil {
		eralog.Fatal("%v", err)
	}
	pilot, err := pilotAddress(o)
	if err != nil {
		eralog.Fatal("%v", err)
	}
	eralog.Info("Proxy role: %s, service cluster %s, discovery %s, control plane authentication %s", who.node(o.domain), o.serviceCluster, pilot, o.controlPlaneAuth)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	if err := newAgent(o, who, pilot).run(ctx); err != nil {
		eralog.Fatal("%v", err)
	}
}
