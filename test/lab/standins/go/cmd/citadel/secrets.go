package main

import (
	"bytes"
	"context"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/pki"
)

const (
	secretPrefix      = "istio."
	secretType        = core.SecretType("istio.io/key-and-cert")
	accountAnnotation = "istio.io/service-account.name"
	resync            = time.Minute
)

// secretController keeps one secret per service account; its queue holds namespace/account.
type secretController struct {
	client   kubernetes.Interface
	ca       *authority
	o        options
	accounts cache.SharedIndexInformer
	secrets  cache.SharedIndexInformer
	queue    workqueue.TypedRateLimitingInterface[string]
}

func newSecretController(client kubernetes.Interface, ca *authority, o options) *secretController {
	onlyOurs := informers.WithTweakListOptions(func(list *meta.ListOptions) { list.FieldSelector = "type=" + string(secretType) })
	c := &secretController{
		client: client, ca: ca, o: o,
		accounts: informers.NewSharedInformerFactory(client, resync).Core().V1().ServiceAccounts().Informer(),
		secrets:  informers.NewSharedInformerFactoryWithOptions(client, resync, onlyOurs).Core().V1().Secrets().Informer(),
		queue:    workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
	}
	watch(c.accounts, func(object meta.Object) { c.queue.Add(object.GetNamespace() + "/" + object.GetName()) })
	watch(c.secrets, func(object meta.Object) {
		if account, ours := strings.CutPrefix(object.GetName(), secretPrefix); ours {
			c.queue.Add(object.GetNamespace() + "/" + account)
		}
	})
	return c
}

func watch(informer cache.SharedIndexInformer, changed func(meta.Object)) {
	handle := func(value any) {
		if gone, isGone := value.(cache.DeletedFinalStateUnknown); isGone {
			value = gone.Obj
		}
		if object, isObject := value.(meta.Object); isObject {
			changed(object)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: handle, DeleteFunc: handle, UpdateFunc: func(_, after any) { handle(after) },
	})
	if err != nil {
		eralog.Fatal("%v", err)
	}
}

func (c *secretController) run(ctx context.Context) {
	go c.accounts.Run(ctx.Done())
	go c.secrets.Run(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), c.accounts.HasSynced, c.secrets.HasSynced)
	for {
		key, stopped := c.queue.Get()
		if stopped {
			return
		}
		if err := c.reconcile(ctx, key); err != nil {
			eralog.Error("Failed to reconcile the secret of service account %s: %v", key, err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

func (c *secretController) reconcile(ctx context.Context, key string) error {
	namespace, account, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	name := secretPrefix + account
	secrets := c.client.CoreV1().Secrets(namespace)
	_, wanted, err := c.accounts.GetStore().GetByKey(key)
	if err != nil {
		return err
	}
	stored, exists, err := c.secrets.GetStore().GetByKey(namespace + "/" + name)
	if err != nil {
		return err
	}
	switch {
	case !wanted && exists:
		err = secrets.Delete(ctx, name, meta.DeleteOptions{})
		if errors.IsNotFound(err) {
			return nil
		}
		return err
	case !wanted:
		return nil
	case !exists:
		return c.create(ctx, namespace, account)
	}
	return c.refresh(ctx, stored.(*core.Secret), account)
}

func (c *secretController) create(ctx context.Context, namespace, account string) error {
	data, err := c.material(namespace, account)
	if err != nil {
		return err
	}
	secret := &core.Secret{
		ObjectMeta: meta.ObjectMeta{
			Name: secretPrefix + account, Namespace: namespace,
			Annotations: map[string]string{accountAnnotation: account},
		},
		Type: secretType, Data: data,
	}
	_, err = c.client.CoreV1().Secrets(namespace).Create(ctx, secret, meta.CreateOptions{})
	if errors.IsAlreadyExists(err) || errors.HasStatusCause(err, core.NamespaceTerminatingCause) {
		return nil
	}
	if err == nil {
		eralog.Info("Istio secret for service account %q in namespace %q has been created", account, namespace)
	}
	return err
}

// refresh replaces the material when it is too old, unreadable, or of another root.
func (c *secretController) refresh(ctx context.Context, secret *core.Secret, account string) error {
	if c.fresh(secret) {
		return nil
	}
	data, err := c.material(secret.Namespace, account)
	if err != nil {
		return err
	}
	eralog.Info("Refreshing secret %s/%s, either the leaf certificate is about to expire or the root certificate is outdated", secret.Namespace, secret.Name)
	replaced := secret.DeepCopy()
	replaced.Data = data
	_, err = c.client.CoreV1().Secrets(secret.Namespace).Update(ctx, replaced, meta.UpdateOptions{})
	return err
}

func (c *secretController) fresh(secret *core.Secret) bool {
	if !bytes.Equal(secret.Data[rootFile], c.ca.rootPEM) {
		return false
	}
	leaf, err := pki.ParseCertificate(secret.Data[chainFile])
	if err != nil {
		return false
	}
	grace := max(leaf.NotAfter.Sub(leaf.NotBefore)/2, c.o.gracePeriod)
	return time.Until(leaf.NotAfter) >= grace
}

func (c *secretController) material(namespace, account string) (map[string][]byte, error) {
	identity := pki.Spiffe(c.o.trustDomain, namespace, account)
	key, certificate, err := c.ca.issue(pki.Leaf{URIs: []string{identity}, Lifetime: c.o.certTTL})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{keyFile: key, chainFile: certificate, rootFile: c.ca.rootPEM}, nil
}
