package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

type destinationKey struct{}

var errNoHealthyUpstream = errors.New("no healthy upstream")

// httpProxy is one server for all captured HTTP connections; they come in through a channel instead of a port.
type httpProxy struct{ connections chan net.Conn }

func newHTTPProxy(routes *routeTable) *httpProxy {
	proxy := &httpProxy{connections: make(chan net.Conn)}
	server := &http.Server{
		Handler:           forward(routes),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, destinationKey{}, conn.(*capturedConn).destination.String())
		},
	}
	go func() { _ = server.Serve(proxy) }()
	return proxy
}

func (p *httpProxy) serve(conn net.Conn) { p.connections <- conn }

// Accept, Close and Addr make the channel a net.Listener.
func (p *httpProxy) Accept() (net.Conn, error) { return <-p.connections, nil }

// Close does nothing: the proxy lives as long as the process.
func (p *httpProxy) Close() error { return nil }

// Addr is only printed.
func (p *httpProxy) Addr() net.Addr { return &net.TCPAddr{} }

// forward sends a request to an endpoint of the service its connection was made to, with the client's own Host.
func forward(routes *routeTable) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			destination, _ := r.In.Context().Value(destinationKey{}).(string)
			r.Out.URL.Scheme, r.Out.Host = "http", r.In.Host
			if found := routes.lookup(destination); found != nil {
				r.Out.URL.Host = found.endpoint()
			}
			r.Out.Header.Set("x-forwarded-proto", "http")
			*r.Out = *r.Out.WithContext(context.WithValue(r.Out.Context(), startKey{}, time.Now()))
		},
		Transport: &upstreamTransport{http.Transport{DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext, DisableCompression: true, IdleConnTimeout: time.Minute}},
		ModifyResponse: func(response *http.Response) error {
			if started, known := response.Request.Context().Value(startKey{}).(time.Time); known {
				response.Header.Set(upstreamTime, strconv.FormatInt(time.Since(started).Milliseconds(), 10))
			}
			response.Header.Set("Server", "envoy")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			text := "upstream connect error or disconnect/reset before headers"
			if errors.Is(err, errNoHealthyUpstream) {
				text = err.Error()
			}
			w.Header().Set("Server", "envoy")
			w.Header().Set("content-type", "text/plain")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, text)
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxy.ServeHTTP(lowerCaseWriter{w}, r) })
}

type startKey struct{}

const upstreamTime = "X-Envoy-Upstream-Service-Time"

// lowerCaseWriter writes Envoy's own headers in the lower case that people grep for.
type lowerCaseWriter struct{ http.ResponseWriter }

// WriteHeader renames the headers just before they go out.
func (w lowerCaseWriter) WriteHeader(status int) {
	for _, name := range []string{"Server", upstreamTime} {
		if values, present := w.Header()[name]; present {
			w.Header()[strings.ToLower(name)] = values
			delete(w.Header(), name)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the standard library flush and hijack the writer inside.
func (w lowerCaseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// upstreamTransport refuses a request that found no endpoint.
type upstreamTransport struct{ http.Transport }

// RoundTrip sends one request.
func (t *upstreamTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host == "" {
		return nil, errNoHealthyUpstream
	}
	return t.Transport.RoundTrip(request)
}
