package main

import (
	"context"
	"net"
	"sort"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"mesh-expansion.lab/standins/internal/discovery"
	"mesh-expansion.lab/standins/internal/eralog"
)

// quietPeriod gathers changes that come together into one push.
const quietPeriod = 100 * time.Millisecond

// connectedSidecar is what /debug/adsz and /debug/syncz tell about one stream.
type connectedSidecar struct {
	Proxy   string    `json:"proxy"`
	Peer    string    `json:"peer"`
	Since   time.Time `json:"connectedAt"`
	Version string    `json:"version"`
}

// sidecars serves the discovery streams.
type sidecars struct {
	services *registry
	mutex    sync.Mutex
	streams  map[*connectedSidecar]struct{}
	pushes   int
}

func newSidecars(services *registry) *sidecars {
	return &sidecars{services: services, streams: map[*connectedSidecar]struct{}{}}
}

func (s *sidecars) server(transport credentials.TransportCredentials) *grpc.Server {
	settings := []grpc.ServerOption{grpc.ForceServerCodec(discovery.Codec{})}
	if transport != nil {
		settings = append(settings, grpc.Creds(transport))
	}
	server := grpc.NewServer(settings...)
	discovery.Register(server, s)
	return server
}

// Watch sends the table now and after every change.
func (s *sidecars) Watch(ctx context.Context, node discovery.Node, send func(discovery.Table) error) error {
	changes, cancel := s.services.subscribe()
	defer cancel()
	stream := &connectedSidecar{Proxy: node.ID, Since: time.Now().UTC()}
	if from, known := peer.FromContext(ctx); known {
		stream.Peer = from.Addr.String()
	}
	s.add(stream)
	defer s.remove(stream)
	eralog.Info("ads\tnew connection for node:%s from %s", node.ID, stream.Peer)
	for {
		if s.services.ready() {
			table, err := s.table()
			if err != nil {
				return err
			}
			s.pushed(stream, table.Version)
			if err := send(table); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			eralog.Info("ads\tclosed connection for node:%s", node.ID)
			return ctx.Err()
		case <-changes:
			time.Sleep(quietPeriod)
		}
	}
}

func (s *sidecars) table() (discovery.Table, error) {
	all, err := s.services.snapshot()
	if err != nil {
		return discovery.Table{}, err
	}
	s.mutex.Lock()
	s.pushes++
	table := discovery.Table{Version: strconv.Itoa(s.pushes), Clusters: []discovery.Cluster{}}
	s.mutex.Unlock()
	for _, one := range all {
		for _, p := range one.ports {
			if p.protocol == "UDP" {
				continue
			}
			cluster := discovery.Cluster{Hostname: one.hostname, PortName: p.name, Protocol: p.protocol, Address: net.JoinHostPort(one.clusterIP, strconv.Itoa(p.number))}
			for _, e := range p.endpoints {
				cluster.Endpoints = append(cluster.Endpoints, e.String())
			}
			table.Clusters = append(table.Clusters, cluster)
		}
	}
	return table, nil
}

func (s *sidecars) add(stream *connectedSidecar) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.streams[stream] = struct{}{}
}

func (s *sidecars) remove(stream *connectedSidecar) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.streams, stream)
}

func (s *sidecars) pushed(stream *connectedSidecar, version string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	stream.Version = version
}

// list copies the streams, sorted by proxy and peer.
func (s *sidecars) list() []connectedSidecar {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	list := []connectedSidecar{}
	for stream := range s.streams {
		list = append(list, *stream)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Proxy+list[i].Peer < list[j].Proxy+list[j].Peer })
	return list
}
