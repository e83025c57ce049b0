package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const (
	soOriginalDst  = 80 // linux/netfilter_ipv4.h
	soReusePort    = 15 // asm-generic/socket.h
	connectTimeout = 10 * time.Second
)

// capturedConn remembers where its client wanted to go.
type capturedConn struct {
	*net.TCPConn
	destination *net.TCPAddr
}

// acceptCaptured serves until the context ends. SO_REUSEPORT lets the next epoch take over while this one still runs.
func acceptCaptured(ctx context.Context, port int, routes *routeTable) error {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		if err := raw.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReusePort, 1) }); err != nil {
			return err
		}
		return failed
	}}
	listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	web := newHTTPProxy(routes)
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go dispatch(conn.(*net.TCPConn), routes, web, port)
	}
}

func dispatch(conn *net.TCPConn, routes *routeTable, web *httpProxy, ownPort int) {
	destination, err := originalDestination(conn)
	if err != nil {
		logLine("warning", "filter", "original destination: %v", err)
		_ = conn.Close()
		return
	}
	if isLocal(destination.IP) {
		// Captured inbound: to the application. A connection made to 15001 itself has no other destination.
		if destination.Port == ownPort {
			_ = conn.Close()
			return
		}
		splice(conn, net.JoinHostPort("127.0.0.1", strconv.Itoa(destination.Port)))
		return
	}
	found := routes.lookup(destination.String())
	switch {
	case found == nil:
		logLine("warning", "filter", "no route to %s: BlackHoleCluster", destination)
		_ = conn.Close()
	case found.Protocol == "HTTP":
		web.serve(&capturedConn{TCPConn: conn, destination: destination})
	default:
		splice(conn, found.endpoint())
	}
}

// originalDestination asks netfilter where the connection went before REDIRECT.
func originalDestination(conn *net.TCPConn) (*net.TCPAddr, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var address syscall.RawSockaddrInet4
	var failed error
	err = raw.Control(func(fd uintptr) {
		size := uint32(unsafe.Sizeof(address))
		_, _, code := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_IP, soOriginalDst, uintptr(unsafe.Pointer(&address)), uintptr(unsafe.Pointer(&size)), 0)
		if code != 0 {
			failed = code
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("SO_ORIGINAL_DST: %w", err)
	}
	port := (*[2]byte)(unsafe.Pointer(&address.Port))
	return &net.TCPAddr{IP: net.IP(address.Addr[:]), Port: int(binary.BigEndian.Uint16(port[:]))}, nil
}

func isLocal(ip net.IP) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, address := range addresses {
		if network, isNetwork := address.(*net.IPNet); isNetwork && network.IP.Equal(ip) {
			return true
		}
	}
	return ip.IsLoopback()
}

// splice copies both ways until both sides are done; an empty endpoint closes the connection.
func splice(client *net.TCPConn, endpoint string) {
	defer client.Close()
	if endpoint == "" {
		return
	}
	dialed, err := net.DialTimeout("tcp", endpoint, connectTimeout)
	if err != nil {
		logLine("warning", "filter", "upstream %s: %v", endpoint, err)
		return
	}
	upstream := dialed.(*net.TCPConn)
	defer upstream.Close()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(upstream, client)
		_ = upstream.CloseWrite()
		close(done)
	}()
	_, _ = io.Copy(client, upstream)
	_ = client.CloseWrite()
	<-done
}
