// Stands for Mixer of Istio 1.0.3 as far as a VM's load balancer can see it: 15004 (mTLS) and 9091 (plain) accept a
// connection (citadel facts 3 and 7). It answers nothing: no check of the guide speaks to Mixer beyond the connection.
package main

import (
	"flag"
	"io"
	"net"

	"mesh-expansion.lab/standins/internal/eralog"
)

func main() {
	address := flag.String("address", "", "address to listen on")
	flag.Parse()
	failed := make(chan error)
	for _, port := range []string{"15004", "9091"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(*address, port))
		if err != nil {
			eralog.Fatal("%v", err)
		}
		eralog.Info("listening on %s", listener.Addr())
		go func() { failed <- serve(listener) }()
	}
	eralog.Fatal("%v", <-failed)
}

func serve(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}
