// Stands for the release site that PILOT_DEBIAN_URL of istio.VERSION names (citadel facts 2): serves a directory over HTTP.
package main

import (
	"flag"
	"net/http"
	"time"

	"mesh-expansion.lab/standins/internal/eralog"
)

func main() {
	address := flag.String("address", "127.0.0.1:8000", "address and port to listen on")
	directory := flag.String("directory", ".", "directory to serve")
	flag.Parse()
	server := &http.Server{Addr: *address, Handler: http.FileServer(http.Dir(*directory)), ReadHeaderTimeout: 10 * time.Second}
	eralog.Info("serving %s on %s", *directory, *address)
	eralog.Fatal("%v", server.ListenAndServe())
}
