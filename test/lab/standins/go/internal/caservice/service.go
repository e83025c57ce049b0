package caservice

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
)

const (
	serviceName = "istio.v1.auth.IstioCAService"
	handleCSR   = "HandleCSR"
)

// Server signs certificate requests.
type Server interface {
	HandleCSR(context.Context, *CsrRequest) (*CsrResponse, error)
}

// Codec encodes the messages of this package; its name is the one of the standard encoding because the bytes are the same.
type Codec struct{}

// Name is the content subtype.
func (Codec) Name() string { return "proto" }

// Marshal encodes a message of this package.
func (Codec) Marshal(v any) ([]byte, error) {
	message, ok := v.(interface{ marshal() []byte })
	if !ok {
		return nil, fmt.Errorf("%T is not a message of the CA service", v)
	}
	return message.marshal(), nil
}

// Unmarshal decodes into a message of this package.
func (Codec) Unmarshal(data []byte, v any) error {
	message, ok := v.(interface{ unmarshal([]byte) error })
	if !ok {
		return fmt.Errorf("%T is not a message of the CA service", v)
	}
	return message.unmarshal(data)
}

// Register serves impl on a gRPC server that was made with grpc.ForceServerCodec(Codec{}).
func Register(server *grpc.Server, impl Server) {
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*Server)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: handleCSR, Handler: handle}},
	}, impl)
}

func handle(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := &CsrRequest{}
	if err := decode(request); err != nil {
		return nil, err
	}
	return srv.(Server).HandleCSR(ctx, request)
}

// Sign sends one request over conn.
func Sign(ctx context.Context, conn *grpc.ClientConn, request *CsrRequest) (*CsrResponse, error) {
	response := &CsrResponse{}
	if err := conn.Invoke(ctx, "/"+serviceName+"/"+handleCSR, request, response, grpc.ForceCodec(Codec{})); err != nil {
		return nil, err
	}
	return response, nil
}
