package main

import (
	"fmt"
	"io"
	"net/http"
)

type debugPort struct {
	Name     string `json:"name,omitempty"`
	Port     int    `json:"port"`
	Protocol string `json:"protocol"`
}

type debugService struct {
	Hostname        string      `json:"hostname"`
	Address         string      `json:"address,omitempty"`
	Ports           []debugPort `json:"ports,omitempty"`
	ServiceAccounts []string    `json:"serviceaccounts,omitempty"`
	MeshExternal    bool
	Attributes      struct{ Namespace string }
}

type debugEndpoint struct {
	Endpoint struct {
		Family      int
		Address     string
		Port        int
		ServicePort debugPort
	} `json:"endpoint"`
	Service debugService `json:"service"`
}

type debugEndpoints struct {
	Service   string `json:"svc"`
	Endpoints []any  `json:"ep"`
}

// sentinel ends every list of the debug pages.
type sentinel struct{}

func (s service) debug() debugService {
	d := debugService{Hostname: s.hostname, Address: s.clusterIP, ServiceAccounts: s.accounts}
	for _, p := range s.ports {
		d.Ports = append(d.Ports, p.debug())
	}
	d.Attributes.Namespace = s.namespace
	return d
}

func (p port) debug() debugPort { return debugPort{Name: p.name, Port: p.number, Protocol: p.protocol} }

func registryz(w http.ResponseWriter, services *registry) {
	all, err := services.snapshot()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list := []any{}
	for _, one := range all {
		list = append(list, one.debug())
	}
	writeJSON(w, append(list, sentinel{}))
}

// endpointz in brief is one line for each endpoint: host:port name, family, ip:port, labels, service account.
func endpointz(w http.ResponseWriter, services *registry, brief bool) {
	all, err := services.snapshot()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list := []any{}
	for _, one := range all {
		for _, p := range one.ports {
			if brief {
				briefLines(w, one, p)
				continue
			}
			list = append(list, debugEndpoints{Service: one.hostname + ":" + p.name, Endpoints: instances(one, p)})
		}
	}
	if !brief {
		writeJSON(w, append(list, sentinel{}))
	}
}

func briefLines(w io.Writer, one service, p port) {
	for _, e := range p.endpoints {
		fmt.Fprintf(w, "%s:%s %d %s %s %s\n", one.hostname, p.name, 0, e, "", "")
	}
}

func instances(one service, p port) []any {
	list := []any{}
	for _, e := range p.endpoints {
		instance := debugEndpoint{Service: one.debug()}
		instance.Endpoint.Address, instance.Endpoint.Port, instance.Endpoint.ServicePort = e.address, e.port, p.debug()
		list = append(list, instance)
	}
	return append(list, sentinel{})
}

// endpointShardz groups the addresses by service and port.
func endpointShardz(w http.ResponseWriter, services *registry) {
	all, err := services.snapshot()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	shards := map[string]map[string][]string{}
	for _, one := range all {
		ports := map[string][]string{}
		for _, p := range one.ports {
			for _, e := range p.endpoints {
				ports[p.name] = append(ports[p.name], e.String())
			}
		}
		shards[one.hostname] = ports
	}
	writeJSON(w, shards)
}
