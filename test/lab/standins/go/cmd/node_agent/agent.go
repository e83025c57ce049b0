package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"mesh-expansion.lab/standins/internal/caservice"
	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/pki"
)

const (
	callTimeout             = 30 * time.Second
	privateFile os.FileMode = 0o600
	publicFile  os.FileMode = 0o644
)

// agent holds what does not change while it runs: the identity and the root are read once, at the start.
type agent struct {
	o        options
	identity *url.URL
	roots    *x509.CertPool
}

// newAgent ends the process when one of the three files cannot be used: the restart loop of citadel facts 10.
func newAgent(o options) *agent {
	rootPEM, err := os.ReadFile(o.root)
	if err != nil {
		eralog.Fatal("failed to create onprem client root cert file %v error %v", o.root, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(rootPEM) {
		eralog.Fatal("failed to append certificates of %s", o.root)
	}
	if _, err := tls.LoadX509KeyPair(o.chain, o.key); err != nil {
		eralog.Fatal("cannot load key pair: %v", err)
	}
	chain, err := os.ReadFile(o.chain)
	if err != nil {
		eralog.Fatal("failed to read cert chain file %s: %v", o.chain, err)
	}
	leaf, err := pki.ParseCertificate(chain)
	if err != nil {
		eralog.Fatal("failed to parse the certificate chain %s: %v", o.chain, err)
	}
	for _, uri := range leaf.URIs {
		if uri.Scheme == "spiffe" {
			return &agent{o: o, identity: uri, roots: roots}
		}
	}
	eralog.Fatal("failed to get service identity: no SPIFFE URI in %s: the SAN extension does not exist", o.chain)
	return nil
}

// renew gets and writes one certificate and says how long to wait for the next: half of its life.
func (a *agent) renew() (time.Duration, error) {
	// What is on the disk now is the credential, so that freshly copied files are picked up by the next attempt.
	pair, err := tls.LoadX509KeyPair(a.o.chain, a.o.key)
	if err != nil {
		return 0, err
	}
	key, err := pki.NewKey()
	if err != nil {
		return 0, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: []*url.URL{a.identity}}, key)
	if err != nil {
		return 0, err
	}
	response, err := a.sign(pair, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	if err != nil {
		return 0, err
	}
	if !response.IsApproved {
		return 0, errors.New("request not approved")
	}
	leaf, err := pki.ParseCertificate(response.SignedCert)
	if err != nil {
		return 0, err
	}
	// In place, so owner and mode of existing files stay; the modes are those of new files.
	if err := os.WriteFile(a.o.key, pki.EncodeKey(key), privateFile); err != nil {
		return 0, err
	}
	if err := os.WriteFile(a.o.chain, append(response.SignedCert, response.CertChain...), publicFile); err != nil {
		return 0, err
	}
	return time.Until(leaf.NotAfter) - leaf.NotAfter.Sub(leaf.NotBefore)/2, nil
}

func (a *agent) sign(pair tls.Certificate, csr []byte) (*caservice.CsrResponse, error) {
	secured := credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: a.roots, ServerName: citadelServerName})
	conn, err := grpc.NewClient("passthrough:///"+a.o.caAddress, grpc.WithTransportCredentials(secured))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	response, err := caservice.Sign(ctx, conn, &caservice.CsrRequest{
		CsrPEM: csr, CredentialType: "onprem", RequestedTTLMinutes: int32(a.o.lifetime / time.Minute),
	})
	return response, asOfThatTime(err)
}

// asOfThatTime hides why a server closed the connection after the handshake: today's gRPC may tell of TLS alerts, a broken
// pipe or a missing preface, the one of that time said "connection closed" to all of them (citadel facts 10, own
// certificate expired).
func asOfThatTime(err error) error {
	known := status.Convert(err)
	if known.Code() != codes.Unavailable || strings.Contains(known.Message(), "Error while dialing") || strings.Contains(known.Message(), "authentication handshake failed") {
		return err
	}
	return status.Error(codes.Unavailable, "connection closed")
}
