// The guide's manual steps for one machine, done with kubectl, scp and ssh: what the sidecar cases start from.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Lab } from '../../env.ts';
import { run } from '../../toolchain/run.ts';
import { asRoot, eventually, fetchMaterial, inDirectory, MACHINE } from './support.ts';

const INTERNAL = { 'cloud.google.com/load-balancer-type': 'internal' };

interface LiveService {
  status: { loadBalancer: { ingress?: readonly { ip?: string }[] } };
}

interface Balancer {
  namespace: string;
  name: string;
  selector: Record<string, string>;
  ports: readonly { name: string; port: number; protocol?: 'UDP' }[];
}

// Citadel facts 3, the row of 0.8.0 and later.
const BALANCERS: readonly Balancer[] = [
  {
    namespace: 'istio-system',
    name: 'istio-pilot-ilb',
    selector: { istio: 'pilot' },
    ports: [
      { name: 'http-pilot', port: 8080 },
      { name: 'grpc-pilot', port: 15010 },
      { name: 'tls-grpc-pilot', port: 15011 },
    ],
  },
  { namespace: 'istio-system', name: 'citadel-ilb', selector: { istio: 'citadel' }, ports: [{ name: 'tcp', port: 8060 }] },
  { namespace: 'kube-system', name: 'dns-ilb', selector: { 'k8s-app': 'kube-dns' }, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
];

export const CLUSTER_ENV = 'ISTIO_SERVICE_CIDR=10.96.0.0/16\nISTIO_SYSTEM_NAMESPACE=istio-system\nISTIO_CP_AUTH=MUTUAL_TLS\n';

/** Makes the load balancers, installs the package, and puts kubedns, cluster.env and the three certificates on the machine; nothing is started. In the login user's `broken` are an expired certificate, another root and another key. */
export async function prepareMachine(lab: Lab, deb: string): Promise<void> {
  const items = BALANCERS.map(({ namespace, name, selector, ports }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations: INTERNAL },
    spec: { type: 'LoadBalancer', selector, ports },
  }));
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const addressOf = async ({ namespace, name }: Balancer) => {
    const { status } = (await lab.read(`/api/v1/namespaces/${namespace}/services/${name}`)) as LiveService;
    return status.loadBalancer.ingress?.[0]?.ip ?? '';
  };
  await eventually(
    'addresses of the load balancers',
    async () => (await Promise.all(BALANCERS.map(addressOf))).every((address) => address !== ''),
    20_000,
  );
  const [pilot, citadel, dns] = await Promise.all(BALANCERS.map(addressOf));
  const names = (address: string | undefined, ...of: string[]) =>
    of.flatMap((name) => [`address=/${name}/${address}`, `address=/${name}.istio-system/${address}`]);
  const kubedns = [`server=/svc.cluster.local/${dns}`, ...names(pilot, 'istio-pilot'), ...names(citadel, 'istio-citadel', 'istio-ca')];
  await inDirectory(async (directory) => {
    const file = (name: string) => path.join(directory, name);
    const { root, chain, key } = await fetchMaterial(lab, 'vm', 'default', directory);
    await writeFile(file('kubedns'), `${kubedns.join('\n')}\n`);
    await writeFile(file('cluster.env'), CLUSTER_ENV);
    await run([
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/O=other',
      '-keyout',
      file('key.pem'),
      '-out',
      file('root-cert.pem'),
    ]);
    await makeExpired(lab, directory, key);
    await run(['scp', '-q', '-F', lab.sshConfig, file('kubedns'), file('cluster.env'), deb, `${MACHINE}:`]);
    await asRoot(lab, `dpkg --force-confold -i ${path.basename(deb)} >/dev/null 2>&1`);
    await send(lab, 'good', { 'root-cert.pem': root, 'cert-chain.pem': chain, 'key.pem': key });
    await send(lab, 'broken', {
      'root-cert.pem': file('root-cert.pem'),
      'cert-chain.pem': file('expired.pem'),
      'key.pem': file('key.pem'),
    });
  });
  await asRoot(
    lab,
    'install -m 644 kubedns /etc/dnsmasq.d/kubedns; echo nameserver 127.0.0.1 > /etc/resolv.conf; systemctl restart dnsmasq',
  );
  await restoreFiles(lab);
}

/** Puts the good cluster.env and certificates back, with the owners and modes they should have, empties sidecar.env, then runs `script` as root. */
export async function restoreFiles(lab: Lab, script = ''): Promise<void> {
  await asRoot(
    lab,
    ': > /var/lib/istio/envoy/sidecar.env; install -o istio-proxy -m 644 cluster.env /var/lib/istio/envoy/cluster.env; install -o istio-proxy -m 644 -t /etc/certs good/root-cert.pem good/cert-chain.pem; install -o istio-proxy -m 600 -t /etc/certs good/key.pem\n' +
      script,
  );
}

async function send(lab: Lab, directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  await lab.ssh(MACHINE, ['mkdir', '-p', '-m', '700', directory]);
  for (const [name, from] of Object.entries(files))
    await lab.ssh(MACHINE, ['sh', '-c', `umask 077; cat > ${directory}/${name}`], { input: await readFile(from) });
}

// A certificate of Citadel's own CA for the same key and identity, which ended long ago.
async function makeExpired(lab: Lab, directory: string, key: string): Promise<void> {
  const file = (name: string) => path.join(directory, name);
  const { data } = (await lab.read('/api/v1/namespaces/istio-system/secrets/istio-ca-secret')) as {
    data: Readonly<Record<string, string>>;
  };
  await writeFile(file('ca.pem'), Buffer.from(data['ca-cert.pem'] ?? '', 'base64'));
  await writeFile(file('ca.key'), Buffer.from(data['ca-key.pem'] ?? '', 'base64'), { mode: 0o600 });
  const config = `[ca]\ndefault_ca=c\n[c]\ndatabase=${file('index')}\nserial=${file('serial')}\nnew_certs_dir=${directory}\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n[p]\norganizationName=optional\n[e]\nsubjectAltName=critical,URI:spiffe://cluster.local/ns/vm/sa/default\nextendedKeyUsage=clientAuth,serverAuth\n`;
  await Promise.all([writeFile(file('ca.cnf'), config), writeFile(file('index'), ''), writeFile(file('serial'), '01\n')]);
  await run(['openssl', 'req', '-new', '-key', key, '-subj', '/O=x', '-out', file('expired.csr')]);
  await run([
    'openssl',
    'ca',
    '-batch',
    '-config',
    file('ca.cnf'),
    '-in',
    file('expired.csr'),
    '-cert',
    file('ca.pem'),
    '-keyfile',
    file('ca.key'),
    '-startdate',
    '20250101000000Z',
    '-enddate',
    '20250102000000Z',
    '-notext',
    '-out',
    file('expired.pem'),
  ]);
}
