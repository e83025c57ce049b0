package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/pki"
)

const (
	caSecretName = "istio-ca-secret"
	caSecretType = core.SecretType("istio.io/ca-root")
	keyFile      = "key.pem"
	chainFile    = "cert-chain.pem"
	rootFile     = "root-cert.pem"
)

// authority is the CA of the mesh.
type authority struct {
	root    *x509.Certificate
	rootPEM []byte
	key     *rsa.PrivateKey
}

// loadAuthority reads istio-ca-secret or makes it, waiting for the namespace and the API server to be there.
func loadAuthority(ctx context.Context, client kubernetes.Interface, o options) *authority {
	for {
		ca, err := readOrCreate(ctx, client, o)
		if err == nil {
			return ca
		}
		eralog.Error("Failed to create a self-signed Citadel (error: %v)", err)
		time.Sleep(time.Second)
	}
}

func readOrCreate(ctx context.Context, client kubernetes.Interface, o options) (*authority, error) {
	secrets := client.CoreV1().Secrets(o.namespace)
	secret, err := secrets.Get(ctx, caSecretName, meta.GetOptions{})
	if errors.IsNotFound(err) {
		eralog.Info("Failed to get secret (error: %v), will create one", err)
		secret, err = newAuthoritySecret(o)
		if err == nil {
			secret, err = secrets.Create(ctx, secret, meta.CreateOptions{})
		}
	}
	if err != nil {
		return nil, err
	}
	root, err := pki.ParseCertificate(secret.Data["ca-cert.pem"])
	if err != nil {
		return nil, err
	}
	key, err := pki.ParseKey(secret.Data["ca-key.pem"])
	if err != nil {
		return nil, err
	}
	return &authority{root: root, rootPEM: bytes.Clone(secret.Data["ca-cert.pem"]), key: key}, nil
}

// newAuthoritySecret has the five keys of the real one, three of them empty.
func newAuthoritySecret(o options) (*core.Secret, error) {
	key, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	root, err := pki.NewRoot(key, o.trustDomain, o.rootTTL)
	if err != nil {
		return nil, err
	}
	return &core.Secret{
		ObjectMeta: meta.ObjectMeta{Name: caSecretName, Namespace: o.namespace},
		Type:       caSecretType,
		Data: map[string][]byte{
			"ca-cert.pem": pki.EncodeCertificate(root), "ca-key.pem": pki.EncodeKey(key),
			chainFile: nil, keyFile: nil, rootFile: nil,
		},
	}, nil
}

// issue makes a key and a certificate, both PEM.
func (ca *authority) issue(leaf pki.Leaf) (keyPEM, certificatePEM []byte, err error) {
	key, err := pki.NewKey()
	if err != nil {
		return nil, nil, err
	}
	leaf.PublicKey = &key.PublicKey
	der, err := pki.Sign(leaf, ca.root, ca.key)
	if err != nil {
		return nil, nil, err
	}
	return pki.EncodeKey(key), pki.EncodeCertificate(der), nil
}
