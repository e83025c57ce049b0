package main

import (
	"context"
	"fmt"
	"net"
	"sort"
	"strconv"
	"strings"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"mesh-expansion.lab/standins/internal/eralog"
	"mesh-expansion.lab/standins/internal/pki"
)

const serviceAccountsAnnotation = "alpha.istio.io/kubernetes-serviceaccounts"

// service is one Service of the cluster as Pilot sees it.
type service struct {
	hostname, namespace, clusterIP string
	accounts                       []string
	ports                          []port
}

type port struct {
	name, protocol string
	number         int
	endpoints      []endpoint
}

type endpoint struct {
	address string
	port    int
}

// registry follows Services and Endpoints; subscribers hear of every change.
type registry struct {
	o         options
	factory   informers.SharedInformerFactory
	services  listers.ServiceLister
	endpoints listers.EndpointsLister
	synced    []cache.InformerSynced

	mutex       sync.Mutex
	subscribers map[chan struct{}]struct{}
}

func newRegistry(client kubernetes.Interface, o options) *registry {
	factory := informers.NewSharedInformerFactory(client, 0)
	services, endpoints := factory.Core().V1().Services(), factory.Core().V1().Endpoints()
	r := &registry{
		o: o, factory: factory, services: services.Lister(), endpoints: endpoints.Lister(),
		synced:      []cache.InformerSynced{services.Informer().HasSynced, endpoints.Informer().HasSynced},
		subscribers: map[chan struct{}]struct{}{},
	}
	changed := cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { r.notify() }, UpdateFunc: func(any, any) { r.notify() }, DeleteFunc: func(any) { r.notify() },
	}
	for _, informer := range []cache.SharedIndexInformer{services.Informer(), endpoints.Informer()} {
		if _, err := informer.AddEventHandler(changed); err != nil {
			eralog.Fatal("%v", err)
		}
	}
	return r
}

func (r *registry) run(ctx context.Context) { r.factory.Start(ctx.Done()) }

// ready is false until the first lists of both kinds are in.
func (r *registry) ready() bool {
	for _, synced := range r.synced {
		if !synced() {
			return false
		}
	}
	return true
}

// subscribe returns a channel that holds at most one pending "something changed".
func (r *registry) subscribe() (changes chan struct{}, cancel func()) {
	changes = make(chan struct{}, 1)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.subscribers[changes] = struct{}{}
	return changes, func() {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		delete(r.subscribers, changes)
	}
}

func (r *registry) notify() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for changes := range r.subscribers {
		select {
		case changes <- struct{}{}:
		default:
		}
	}
}

// snapshot lists all services but external names, sorted by host name.
func (r *registry) snapshot() ([]service, error) {
	found, err := r.services.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var all []service
	for _, item := range found {
		if item.Spec.Type == core.ServiceTypeExternalName {
			continue
		}
		all = append(all, r.convert(item))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].hostname < all[j].hostname })
	return all, nil
}

func (r *registry) convert(item *core.Service) service {
	converted := service{
		hostname:  fmt.Sprintf("%s.%s.svc.%s", item.Name, item.Namespace, r.o.domain),
		namespace: item.Namespace, clusterIP: item.Spec.ClusterIP,
	}
	if converted.clusterIP == "" || converted.clusterIP == core.ClusterIPNone {
		converted.clusterIP = "0.0.0.0"
	}
	for _, account := range strings.Split(item.Annotations[serviceAccountsAnnotation], ",") {
		if account != "" {
			converted.accounts = append(converted.accounts, pki.Spiffe(r.o.trustDomain, item.Namespace, account))
		}
	}
	slices, err := r.endpoints.Endpoints(item.Namespace).Get(item.Name)
	if err != nil {
		slices = &core.Endpoints{}
	}
	for _, spec := range item.Spec.Ports {
		converted.ports = append(converted.ports, port{
			name: spec.Name, number: int(spec.Port), protocol: protocolOf(spec.Name, spec.Protocol), endpoints: endpointsOf(slices, spec.Name),
		})
	}
	return converted
}

func endpointsOf(object *core.Endpoints, portName string) []endpoint {
	var found []endpoint
	for _, subset := range object.Subsets {
		for _, candidate := range subset.Ports {
			if candidate.Name != portName {
				continue
			}
			for _, address := range subset.Addresses {
				found = append(found, endpoint{address: address.IP, port: int(candidate.Port)})
			}
		}
	}
	return found
}

// protocolOf reads the part of the port's name before the first dash (citadel facts 5); unknown is TCP.
func protocolOf(portName string, transport core.Protocol) string {
	if transport == core.ProtocolUDP {
		return "UDP"
	}
	prefix, _, _ := strings.Cut(portName, "-")
	switch known := strings.ToUpper(prefix); known {
	case "GRPC", "HTTP", "HTTP2", "HTTPS", "TLS", "MONGO", "REDIS":
		return known
	}
	return "TCP"
}

// key is the service key of the v1 API: a single unnamed port leaves only the host name.
func (s service) key(p port) string {
	if p.name == "" {
		return s.hostname
	}
	return s.hostname + "|" + p.name
}

func (e endpoint) String() string { return net.JoinHostPort(e.address, strconv.Itoa(e.port)) }
