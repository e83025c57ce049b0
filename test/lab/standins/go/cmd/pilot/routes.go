package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
)

type registeredHost struct {
	Address string `json:"ip_address"`
	Port    int    `json:"port"`
}

type keyAndHosts struct {
	Key   string           `json:"service-key"`
	Hosts []registeredHost `json:"hosts"`
}

// routes are the addresses of :8080 that a person or a check asks (citadel facts 7 and 10).
func routes(services *registry, connected *sidecars, o options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, o.version) })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if !services.ready() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /v1/registration", func(w http.ResponseWriter, _ *http.Request) { registration(w, services) })
	// The route with a key was dropped in 1.0.0.
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "404: Page Not Found")
	})
	mux.HandleFunc("GET /debug/registryz", func(w http.ResponseWriter, _ *http.Request) { registryz(w, services) })
	mux.HandleFunc("GET /debug/endpointz", func(w http.ResponseWriter, r *http.Request) { endpointz(w, services, r.URL.Query().Get("brief") != "") })
	mux.HandleFunc("GET /debug/endpointShardz", func(w http.ResponseWriter, _ *http.Request) { endpointShardz(w, services) })
	mux.HandleFunc("GET /debug/syncz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, connected.list()) })
	mux.HandleFunc("GET /debug/adsz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, connected.list()) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { metrics(w, services, connected) })
	return mux
}

func registration(w http.ResponseWriter, services *registry) {
	all, err := services.snapshot()
	if err != nil {
		http.Error(w, "EDS "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	list := []keyAndHosts{}
	for _, one := range all {
		for _, p := range one.ports {
			hosts := []registeredHost{}
			for _, e := range p.endpoints {
				hosts = append(hosts, registeredHost{Address: e.address, Port: e.port})
			}
			list = append(list, keyAndHosts{Key: one.key(p), Hosts: hosts})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Key < list[j].Key })
	writeJSON(w, list)
}

func writeJSON(w http.ResponseWriter, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.Copy(w, &body)
}

func metrics(w io.Writer, services *registry, connected *sidecars) {
	all, err := services.snapshot()
	if err != nil {
		return
	}
	fmt.Fprintf(w, "# HELP pilot_services Total services known to pilot.\n# TYPE pilot_services gauge\npilot_services %d\n", len(all))
	fmt.Fprintf(w, "# HELP pilot_xds Number of endpoints connected to this pilot using XDS.\n# TYPE pilot_xds gauge\npilot_xds %d\n", len(connected.list()))
}
