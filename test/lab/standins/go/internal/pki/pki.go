// Package pki makes and reads the keys and certificates of Citadel's kind (citadel facts 6 and 10): RSA 2048 in PKCS#1,
// a leaf with an empty subject and one critical SAN, the SPIFFE URI.
package pki

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

const keyBits = 2048

// NewKey makes a private key.
func NewKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

// EncodeKey is the PKCS#1 PEM of a key.
func EncodeKey(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// EncodeCertificate is the PEM of a DER certificate.
func EncodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// ParseKey reads a PKCS#1 PEM.
func ParseKey(data []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM block in the key")
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}

// ParseCertificate reads the first certificate of a PEM.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("invalid PEM encoded certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// Spiffe is the identity of a service account.
func Spiffe(trustDomain, namespace, account string) string {
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", trustDomain, namespace, account)
}

// NewRoot makes a self-signed CA certificate (DER) whose subject is O = organization.
func NewRoot(key *rsa.PrivateKey, organization string, lifetime time.Duration) ([]byte, error) {
	template, err := template(lifetime)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{Organization: []string{organization}}
	template.KeyUsage = x509.KeyUsageCertSign
	template.IsCA = true
	return x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
}

// Leaf says what one certificate is for.
type Leaf struct {
	URIs      []string
	DNSNames  []string
	PublicKey any
	Lifetime  time.Duration
}

// Sign issues a leaf (DER); with an empty subject x509 marks the SAN critical, as the real ones are.
func Sign(leaf Leaf, root *x509.Certificate, rootKey *rsa.PrivateKey) ([]byte, error) {
	template, err := template(leaf.Lifetime)
	if err != nil {
		return nil, err
	}
	for _, text := range leaf.URIs {
		uri, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		template.URIs = append(template.URIs, uri)
	}
	template.DNSNames = leaf.DNSNames
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	return x509.CreateCertificate(rand.Reader, template, root, leaf.PublicKey, rootKey)
}

func template(lifetime time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, NotBefore: now, NotAfter: now.Add(lifetime), BasicConstraintsValid: true}, nil
}

// Identities are the SPIFFE URIs of a certificate.
func Identities(certificate *x509.Certificate) []string {
	var found []string
	for _, uri := range certificate.URIs {
		if uri.Scheme == "spiffe" {
			found = append(found, uri.String())
		}
	}
	return found
}
