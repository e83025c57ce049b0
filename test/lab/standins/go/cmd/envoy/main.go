// Stands for Envoy as Istio 1.0.3's sidecar package runs it (citadel facts 4 and 7): reads the bootstrap that pilot-agent
// wrote, gets its table of services from Pilot (mTLS with the files in /etc/certs, or plain), accepts what iptables
// captured on 15001 and forwards a service's cluster IP and port to one of its endpoints. HTTP answers get the header
// `server: envoy`; captured inbound connections go to the application on this machine. Not here: routing by Host, mTLS
// between sidecars, policy and telemetry, HTTP/2 (passed through as TCP).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// parentShutdown is how long a drained epoch finishes what it has begun.
const parentShutdown = 3 * time.Second

func logLine(level, component, format string, args ...any) {
	now := time.Now().Format("2006-01-02 15:04:05.000")
	fmt.Fprintf(os.Stderr, "[%s][%d][%s][%s] %s\n", now, os.Getpid(), level, component, fmt.Sprintf(format, args...))
}

func main() {
	// Only the first flag means something here; the others are those of the real command line.
	configuration := flag.String("c", "", "bootstrap file")
	epoch := flag.Int("restart-epoch", 0, "number of this process since the agent started")
	node := flag.String("service-node", "", "node id")
	cluster := flag.String("service-cluster", "", "service cluster")
	flag.Int("drain-time-s", 2, "")
	flag.Int("parent-shutdown-time-s", 3, "")
	flag.Int("max-obj-name-len", 189, "")
	flag.Bool("allow-unknown-fields", true, "")
	flag.String("l", "warn", "log level")
	flag.Bool("v2-config-only", true, "")
	flag.Parse()
	settings, err := readBootstrap(*configuration)
	if err != nil {
		logLine("critical", "main", "error initializing configuration '%s': %v", *configuration, err)
		os.Exit(1)
	}
	settings.nodeID, settings.nodeCluster = *node, *cluster
	logLine("warning", "main", "starting epoch %d, node %s, discovery at %s", *epoch, *node, settings.pilot)
	// SIGTERM ends at once, as with Envoy; SIGUSR1 stands for the message by which a new epoch tells the old one to drain.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR1)
	defer stop()
	go endWithParent()
	routes := newRouteTable()
	go followPilot(ctx, settings, routes)
	// As with the real one, whose listeners come from Pilot, nothing listens before the first answer.
	select {
	case <-routes.firstUpdate:
	case <-ctx.Done():
		return
	}
	if err := acceptCaptured(ctx, settings.listenPort, routes); err != nil {
		logLine("critical", "main", "%v", err)
		os.Exit(1)
	}
	time.Sleep(parentShutdown)
}

// endWithParent ends an Envoy whose agent was killed: a parent-death signal does not survive the set-group-ID bit.
func endWithParent() {
	for agent := os.Getppid(); os.Getppid() == agent; time.Sleep(time.Second) {
	}
	logLine("critical", "main", "the agent is gone")
	os.Exit(1)
}
