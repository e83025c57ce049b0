// The workloads that are not Istio's: CoreDNS and bookinfo's productpage.
import type { LabAddresses } from '../addresses.ts';
import { NODE_NAME } from '../cluster.ts';
import type { LabObject, ObjectWithStatus } from './kinds.ts';
import { service, workload } from './kinds.ts';

export function plainWorkloads({ pods, router }: LabAddresses): { objects: LabObject[]; statuses: ObjectWithStatus[] } {
  const dns = workload(
    {
      namespace: 'kube-system',
      name: 'coredns',
      serviceAccount: 'coredns',
      labels: { 'k8s-app': 'kube-dns' },
      container: 'coredns',
      image: 'registry.k8s.io/coredns/coredns:v1.13.1',
      address: pods.coredns,
    },
    NODE_NAME,
    router,
  );
  const labels = { app: 'productpage', version: 'v1' };
  const productpage = workload(
    {
      namespace: 'bookinfo',
      name: 'productpage-v1',
      serviceAccount: 'bookinfo-productpage',
      labels,
      container: 'productpage',
      image: 'docker.io/istio/examples-bookinfo-productpage-v1:1.8.0',
      address: pods.productpage,
    },
    NODE_NAME,
    router,
  );
  return {
    objects: [
      ...dns.objects,
      ...productpage.objects,
      service('bookinfo', 'productpage', { app: 'productpage' }, [{ name: 'http', port: 9080 }]),
    ],
    statuses: [...dns.statuses, ...productpage.statuses],
  };
}
