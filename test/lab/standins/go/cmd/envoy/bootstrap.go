package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
)

// settings are the parts of the bootstrap this stand-in acts on.
type settings struct {
	nodeID, nodeCluster string
	pilot               string
	listenPort          int
	transport           *tls.Config // nil: plain
}

type dataSource struct {
	Filename string `json:"filename"`
}

type tlsContext struct {
	CommonTLSContext struct {
		TLSCertificates []struct {
			CertificateChain dataSource `json:"certificate_chain"`
			PrivateKey       dataSource `json:"private_key"`
		} `json:"tls_certificates"`
		ValidationContext struct {
			TrustedCA            dataSource `json:"trusted_ca"`
			VerifySubjectAltName []string   `json:"verify_subject_alt_name"`
		} `json:"validation_context"`
	} `json:"common_tls_context"`
}

type bootstrap struct {
	StaticResources struct {
		Clusters []struct {
			Name  string `json:"name"`
			Hosts []struct {
				SocketAddress struct {
					Address   string `json:"address"`
					PortValue int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"hosts"`
			TLSContext *tlsContext `json:"tls_context"`
		} `json:"clusters"`
	} `json:"static_resources"`
	CaptureListener struct {
		PortValue int `json:"port_value"`
	} `json:"capture_listener"`
}

// readBootstrap fails as Envoy does: before anything runs, naming the file.
func readBootstrap(file string) (settings, error) {
	data, err := readNamed(file)
	if err != nil {
		return settings{}, err
	}
	var read bootstrap
	if err := json.Unmarshal(data, &read); err != nil {
		return settings{}, fmt.Errorf("unable to parse JSON: %w", err)
	}
	for _, cluster := range read.StaticResources.Clusters {
		if cluster.Name != "xds-grpc" || len(cluster.Hosts) == 0 {
			continue
		}
		address := cluster.Hosts[0].SocketAddress
		found := settings{pilot: net.JoinHostPort(address.Address, strconv.Itoa(address.PortValue)), listenPort: read.CaptureListener.PortValue}
		if cluster.TLSContext != nil {
			found.transport, err = cluster.TLSContext.load()
		}
		return found, err
	}
	return settings{}, errors.New("no cluster xds-grpc")
}

func (t *tlsContext) load() (*tls.Config, error) {
	common := t.CommonTLSContext
	rootFile := common.ValidationContext.TrustedCA.Filename
	rootPEM, err := readNamed(rootFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(rootPEM) {
		return nil, fmt.Errorf("Failed to load trusted CA certificates from %s", rootFile)
	}
	if len(common.TLSCertificates) != 1 {
		return nil, errors.New("one TLS certificate is needed")
	}
	chainFile, keyFile := common.TLSCertificates[0].CertificateChain.Filename, common.TLSCertificates[0].PrivateKey.Filename
	chainPEM, err := readNamed(chainFile)
	if err != nil {
		return nil, err
	}
	keyPEM, err := readNamed(keyFile)
	if err != nil {
		return nil, err
	}
	if !hasCertificate(chainPEM) {
		return nil, fmt.Errorf("Failed to load certificate chain from %s", chainFile)
	}
	pair, err := tls.X509KeyPair(chainPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("Failed to load private key from %s", keyFile)
	}
	return peerChecked(pair, roots, common.ValidationContext.VerifySubjectAltName), nil
}

// peerChecked trusts a server by its chain and its SPIFFE name, not by its host name: hence Go's own check is replaced.
func peerChecked(pair tls.Certificate, roots *x509.CertPool, names []string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
			return fmt.Errorf("TLS error: CERTIFICATE_VERIFY_FAILED: %w", err)
		}
		for _, uri := range leaf.URIs {
			if slices.Contains(names, uri.String()) {
				return nil
			}
		}
		return fmt.Errorf("TLS error: CERTIFICATE_VERIFY_FAILED: SAN is not one of %v", names)
	}}
}

func hasCertificate(data []byte) bool { return x509.NewCertPool().AppendCertsFromPEM(data) }

func readNamed(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("Invalid path: %s", file)
	case err != nil:
		return nil, fmt.Errorf("unable to read file: %s", file)
	}
	return data, nil
}
