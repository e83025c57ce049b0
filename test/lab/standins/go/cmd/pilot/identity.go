package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"

	"google.golang.org/grpc/credentials"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"mesh-expansion.lab/standins/internal/eralog"
)

// identity is Pilot's own certificate, as Citadel's secret of its service account has it at the moment.
type identity struct {
	mutex sync.Mutex
	pair  *tls.Certificate
	roots *x509.CertPool
}

// watchIdentity follows the secret istio.<service account>; until it is there every handshake on 15011 fails.
func watchIdentity(ctx context.Context, client kubernetes.Interface, o options) *identity {
	current := &identity{}
	onlyOurs := informers.WithTweakListOptions(func(list *v1.ListOptions) { list.FieldSelector = "metadata.name=istio." + o.account })
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(o.namespace), onlyOurs)
	update := func(object any) {
		if secret, isSecret := object.(*core.Secret); isSecret {
			current.set(secret)
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: update, UpdateFunc: func(_, after any) { update(after) }}
	if _, err := factory.Core().V1().Secrets().Informer().AddEventHandler(handler); err != nil {
		eralog.Fatal("%v", err)
	}
	factory.Start(ctx.Done())
	return current
}

func (i *identity) set(secret *core.Secret) {
	pair, err := tls.X509KeyPair(secret.Data["cert-chain.pem"], secret.Data["key.pem"])
	if err != nil {
		eralog.Error("secret %s: %v", secret.Name, err)
		return
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data["root-cert.pem"])
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.pair, i.roots = &pair, roots
	eralog.Info("the certificate of 15011 is the one of secret %s", secret.Name)
}

func (i *identity) credentials() credentials.TransportCredentials {
	return credentials.NewTLS(&tls.Config{
		NextProtos: []string{"h2"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			i.mutex.Lock()
			defer i.mutex.Unlock()
			if i.pair == nil {
				return nil, errors.New("no certificate yet")
			}
			return &tls.Config{
				Certificates: []tls.Certificate{*i.pair}, ClientCAs: i.roots, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2"},
			}, nil
		},
	})
}
