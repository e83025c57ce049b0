package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"mesh-expansion.lab/standins/internal/caservice"
	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/pki"
)

// signer answers HandleCSR.
type signer struct {
	ca *authority
	o  options
}

func serve(listener net.Listener, ca *authority, o options) error {
	key, certificate, err := ca.issue(pki.Leaf{DNSNames: o.hostnames, Lifetime: time.Until(ca.root.NotAfter)})
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.root)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		checked := config.Clone()
		checked.GetConfigForClient = nil
		checked.VerifyConnection = func(state tls.ConnectionState) error {
			err := verifyClient(state, roots)
			if err != nil {
				// The caller only ever sees a closed connection; the reason is in this log alone (citadel facts 10).
				eralog.Error("TLS handshake error from %s: %v", hello.Conn.RemoteAddr(), err)
				_ = hello.Conn.Close()
			}
			return err
		}
		return checked, nil
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.ForceServerCodec(caservice.Codec{}))
	caservice.Register(server, &signer{ca: ca, o: o})
	return server.Serve(listener)
}

// verifyClient lets a caller without a certificate in: it is refused by name when it asks for something.
func verifyClient(state tls.ConnectionState, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// HandleCSR signs a request for the caller's own identity and no other.
func (s *signer) HandleCSR(ctx context.Context, request *caservice.CsrRequest) (*caservice.CsrResponse, error) {
	caller := callerIdentities(ctx)
	if len(caller) == 0 {
		eralog.Error("request authentication failure")
		return nil, status.Error(codes.Unauthenticated, "request authenticate failure")
	}
	block, _ := pem.Decode(request.CsrPEM)
	if block == nil {
		return nil, status.Error(codes.InvalidArgument, "CSR parsing error (certificate signing request is not properly encoded)")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "CSR parsing error (%v)", err)
	}
	var asked []string
	for _, uri := range csr.URIs {
		asked = append(asked, uri.String())
	}
	if len(asked) == 0 {
		return nil, status.Error(codes.InvalidArgument, "CSR identity extraction error (the SAN extension does not exist)")
	}
	for _, identity := range asked {
		if !slices.Contains(caller, identity) {
			eralog.Error("request of %v for %s is not authorized", caller, identity)
			return nil, status.Errorf(codes.PermissionDenied, "request is not authorized (the requested identity %q does not match the caller's identities %q)", identity, caller)
		}
	}
	lifetime := time.Duration(request.RequestedTTLMinutes) * time.Minute
	if lifetime > s.o.maxCertTTL {
		return nil, status.Errorf(codes.Internal, "CSR signing error (requested TTL %s is greater than the max allowed TTL %s)", lifetime, s.o.maxCertTTL)
	}
	if lifetime <= 0 {
		lifetime = s.o.certTTL
	}
	der, err := pki.Sign(pki.Leaf{URIs: asked, PublicKey: csr.PublicKey, Lifetime: lifetime}, s.ca.root, s.ca.key)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "CSR signing error (%v)", err)
	}
	eralog.Info("CSR successfully signed for %v, %s", asked, lifetime)
	return &caservice.CsrResponse{IsApproved: true, SignedCert: pki.EncodeCertificate(der)}, nil
}

func callerIdentities(ctx context.Context) []string {
	from, known := peer.FromContext(ctx)
	if !known {
		return nil
	}
	info, secured := from.AuthInfo.(credentials.TLSInfo)
	if !secured || len(info.State.PeerCertificates) == 0 {
		return nil
	}
	return pki.Identities(info.State.PeerCertificates[0])
}
