// Package discovery is the protocol between the stand-ins of Pilot and of Envoy: one gRPC stream per sidecar that carries
// the whole table of services whenever it changes, as JSON. The real ones speak xDS here, on the same ports and with the
// same transport security (citadel facts 4 and 7); only the messages are ours.
package discovery

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc"
)

const (
	serviceName = "mesh.lab.Discovery"
	watch       = "Watch"
)

// Node says who asks; ID is sidecar~IP~NAME.NS~NS.svc.DOMAIN.
type Node struct {
	ID      string `json:"id"`
	Cluster string `json:"cluster"`
}

// Cluster is one port of one service.
type Cluster struct {
	Hostname  string   `json:"hostname"`
	PortName  string   `json:"portName"`
	Protocol  string   `json:"protocol"` // HTTP or TCP
	Address   string   `json:"address"`  // clusterIP:port
	Endpoints []string `json:"endpoints"`
}

// Table is everything a sidecar needs to route.
type Table struct {
	Version  string    `json:"version"`
	Clusters []Cluster `json:"clusters"`
}

// Codec is JSON; both sides force it.
type Codec struct{}

// Name is the content subtype.
func (Codec) Name() string { return "json" }

// Marshal encodes.
func (Codec) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal decodes.
func (Codec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// Server streams tables to one node until the context ends.
type Server interface {
	Watch(ctx context.Context, node Node, send func(Table) error) error
}

var streamDesc = grpc.StreamDesc{StreamName: watch, ServerStreams: true, Handler: func(srv any, stream grpc.ServerStream) error {
	var node Node
	if err := stream.RecvMsg(&node); err != nil {
		return err
	}
	return srv.(Server).Watch(stream.Context(), node, func(table Table) error { return stream.SendMsg(&table) })
}}

// Register serves impl on a gRPC server that was made with grpc.ForceServerCodec(Codec{}).
func Register(server *grpc.Server, impl Server) {
	server.RegisterService(&grpc.ServiceDesc{ServiceName: serviceName, HandlerType: (*Server)(nil), Streams: []grpc.StreamDesc{streamDesc}}, impl)
}

// Watch calls receive for every table until the stream ends, which is always an error.
func Watch(ctx context.Context, conn *grpc.ClientConn, node Node, receive func(Table)) error {
	stream, err := conn.NewStream(ctx, &streamDesc, "/"+serviceName+"/"+watch, grpc.ForceCodec(Codec{}))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&node); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		var table Table
		if err := stream.RecvMsg(&table); err != nil {
			return err
		}
		receive(table)
	}
}
