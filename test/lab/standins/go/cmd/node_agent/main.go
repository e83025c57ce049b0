// Stands for node_agent of Istio 1.0.3's sidecar package (citadel facts 6 and 10): with the key and certificate in
// /etc/certs it asks Citadel for a new certificate of the same identity, writes it in place, and does so again when half
// its life is over. It fails with the real one's log lines. Not here: platforms other than onprem (disabled since 1.0.2).
package main

import (
	"flag"
	"time"

	"mesh-expansion.lab/standins/internal/eralog"
)

const (
	firstRetryInterval = 5 * time.Second
	maxRetries         = 5
	// citadelServerName is checked whatever address is dialled (citadel facts 6, 1.0.1 and later).
	citadelServerName = "istio-citadel"
)

type options struct {
	caAddress, environment, chain, key, root string
	lifetime                                 time.Duration
}

func parse() options {
	var o options
	flag.StringVar(&o.caAddress, "ca-address", "istio-citadel:8060", "address of Citadel")
	flag.StringVar(&o.environment, "env", "unspecified", "platform: unspecified or onprem")
	flag.StringVar(&o.chain, "cert-chain", "/etc/certs/cert-chain.pem", "certificate chain")
	flag.StringVar(&o.key, "key", "/etc/certs/key.pem", "private key")
	flag.StringVar(&o.root, "root-cert", "/etc/certs/root-cert.pem", "root certificate")
	flag.DurationVar(&o.lifetime, "workload-cert-ttl", 90*24*time.Hour, "lifetime to ask for")
	flag.Parse()
	return o
}

func main() {
	o := parse()
	if o.environment != "unspecified" && o.environment != "onprem" {
		eralog.Fatal("Node Agent is not running on the right platform: invalid env %s specified", o.environment)
	}
	agent := newAgent(o)
	eralog.Info("Starting Node Agent")
	eralog.Info("Node Agent starts successfully.")
	agent.run()
}

// run never returns: it renews for ever or ends the process after the last retry.
func (a *agent) run() {
	retries, interval := 0, firstRetryInterval
	for {
		eralog.Info("Sending CSR (retrial #%d) ...", retries)
		wait, err := a.renew()
		if err == nil {
			eralog.Info("CSR is approved successfully. Will renew cert in %s", wait)
			retries, interval = 0, firstRetryInterval
			time.Sleep(wait)
			continue
		}
		if retries >= maxRetries {
			eralog.Fatal("Node agent can't get the CSR approved from Istio CA after max number of retries (%d)", maxRetries)
		}
		eralog.Error("CSR signing failed: %v. Will retry in %s", err, interval)
		time.Sleep(interval)
		retries++
		interval *= 2
	}
}
