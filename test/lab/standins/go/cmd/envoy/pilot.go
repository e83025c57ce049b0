package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"mesh-expansion.lab/standins/internal/discovery"
)

const reconnectDelay = time.Second

// routeTable maps clusterIP:port to its cluster; it keeps the last answer while Pilot is away.
type routeTable struct {
	clusters    atomic.Pointer[map[string]*route]
	firstUpdate chan struct{}
	once        sync.Once
}

type route struct {
	discovery.Cluster
	next atomic.Uint64
}

func newRouteTable() *routeTable { return &routeTable{firstUpdate: make(chan struct{})} }

func (t *routeTable) update(table discovery.Table) {
	clusters := make(map[string]*route, len(table.Clusters))
	for _, cluster := range table.Clusters {
		clusters[cluster.Address] = &route{Cluster: cluster}
	}
	t.clusters.Store(&clusters)
	t.once.Do(func() { close(t.firstUpdate) })
}

// lookup is nil for an address that is no service of the mesh.
func (t *routeTable) lookup(address string) *route {
	clusters := t.clusters.Load()
	if clusters == nil {
		return nil
	}
	return (*clusters)[address]
}

// endpoint takes the endpoints in turn; empty when there is none.
func (r *route) endpoint() string {
	if len(r.Endpoints) == 0 {
		return ""
	}
	return r.Endpoints[(r.next.Add(1)-1)%uint64(len(r.Endpoints))]
}

// followPilot keeps one stream open and says in the log, as Envoy does, with which gRPC code it ended.
func followPilot(ctx context.Context, s settings, routes *routeTable) {
	transport := insecure.NewCredentials()
	if s.transport != nil {
		transport = credentials.NewTLS(s.transport)
	}
	quick := backoff.Config{BaseDelay: 500 * time.Millisecond, Multiplier: 1.6, MaxDelay: 5 * time.Second}
	conn, err := grpc.NewClient("passthrough:///"+s.pilot, grpc.WithTransportCredentials(transport), grpc.WithConnectParams(grpc.ConnectParams{Backoff: quick, MinConnectTimeout: 5 * time.Second}))
	if err != nil {
		logLine("critical", "main", "%v", err)
		return
	}
	defer conn.Close()
	node := discovery.Node{ID: s.nodeID, Cluster: s.nodeCluster}
	for ctx.Err() == nil {
		err := discovery.Watch(ctx, conn, node, routes.update)
		if ctx.Err() != nil {
			return
		}
		ended := status.Convert(err)
		logLine("warning", "upstream", "gRPC config stream closed: %d, %s", ended.Code(), ended.Message())
		select {
		case <-ctx.Done():
		case <-time.After(reconnectDelay):
		}
	}
}
