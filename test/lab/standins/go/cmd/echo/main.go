// Stands for an application on a machine of the mesh: answers every request with JSON that says which host answered and what arrived,
// so that a test sees by which way, and in whose name, a request came. The path /healthz answers with the status it was started with.
package main

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"time"

	"mesh-expansion.lab/standins/internal/eralog"
)

type answer struct {
	Hostname string `json:"hostname"`
	Method   string `json:"method"`
	Host     string `json:"host"`
	Path     string `json:"path"`
	// Address of whoever opened the connection: the sidecar's, where one stands before this program.
	From    string              `json:"from"`
	Headers map[string][]string `json:"headers"`
}

func main() {
	address := flag.String("address", ":8080", "address and port to listen on")
	health := flag.Int("health", http.StatusOK, "HTTP status of /healthz")
	flag.Parse()
	hostname, err := os.Hostname()
	if err != nil {
		eralog.Fatal("%v", err)
	}
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		status := http.StatusOK
		if request.URL.Path == "/healthz" {
			status = *health
		}
		writer.Header().Set("Content-Type", "application/json")
		writer.WriteHeader(status)
		encoder := json.NewEncoder(writer)
		if err := encoder.Encode(answer{hostname, request.Method, request.Host, request.URL.Path, request.RemoteAddr, request.Header}); err != nil {
			eralog.Info("%s %s: %v", request.Method, request.URL.Path, err)
		}
	})
	server := &http.Server{Addr: *address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	eralog.Info("echo on %s", *address)
	eralog.Fatal("%v", server.ListenAndServe())
}
