// Kubernetes' API server alone, over an etcd: all of the API that registering and watching need, no nodes.
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { TestAuthority } from '@heddle/kernel/testing';
import { contentKey, dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { etcd } from './etcd.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { freePlace, startServer } from './running.ts';

const source = path.join(import.meta.dirname, 'kube-apiserver');
const version =
  /k8s\.io\/kubernetes v([\d.]+)/.exec(readFileSync(path.join(source, 'go.mod'), 'utf8'))?.[1] ?? '';
const stamp = `-s -w -X k8s.io/component-base/version.gitVersion=v${version}`;

const build: GoBuild = {
  key: `kube-apiserver-${contentKey(source)}`,
  version,
  program: 'kube-apiserver',
  cwd: source,
  // Two thousand packages: seven minutes of one core's time, four on two cores that are free.
  limitMs: 1_200_000,
  commands: (folder) => [
    [
      'build',
      '-p=2',
      '-trimpath',
      `-ldflags=${stamp}`,
      '-o',
      path.join(folder, 'kube-apiserver'),
      'k8s.io/kubernetes/cmd/kube-apiserver',
    ],
  ],
};

/** The name that the server's certificate is for, beside 127.0.0.1. */
export const kubeServerName = 'kubernetes';

/** Who may do what at a server, kept in a folder so that one that is started again knows the same. */
export interface KubeCredentials {
  readonly folder: string;
  /** Has made the server's certificate, and makes those of clients: the subject is the user. */
  readonly authority: TestAuthority;
  /** Of a user who may do everything. */
  readonly adminToken: string;
  /** Of the user `nobody`, who may do what is granted to him: nothing, at first. */
  readonly nobodyToken: string;
}

/** Makes them. */
export function kubeCredentials(folder: string): KubeCredentials {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string): void =>
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  const authority = new TestAuthority('heddle test clusters', Date.now());
  const serving = authority.issue({ addresses: ['127.0.0.1'], dnsNames: [kubeServerName, 'localhost'] });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [adminToken, nobodyToken] = [token(), token()];
  write('ca.crt', authority.certificate);
  write('serving.crt', serving.certificates);
  write('serving.key', serving.privateKey);
  write('accounts.key', privateKey.export({ type: 'sec1', format: 'pem' }).toString());
  write('tokens.csv', `${adminToken},admin,1,system:masters\n${nobodyToken},nobody,2\n`);
  return { folder, authority, adminToken, nobodyToken };
}

function token(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString('base64url');
}

/** How the server is started. */
export interface KubeApiserverOptions {
  /** Where its data are. */
  readonly etcd: Place;
  readonly credentials: KubeCredentials;
  /** Default: any free one on 127.0.0.1. */
  readonly address?: Place;
}

/** The server, with RBAC, tokens and client certificates, over TLS. Up within some seconds. */
export const kubeApiserver: Engine<KubeApiserverOptions> = {
  name: 'kube-apiserver',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async () => {
    const folder = dataFolder('kube');
    const data = await etcd.start({});
    try {
      const server = await kubeApiserver.start({ etcd: data.address, credentials: kubeCredentials(folder) });
      await server.stop();
    } finally {
      await data.stop();
    }
  },
  start: async ({ etcd: data, credentials, address: wanted }) => {
    const address = wanted ?? (await freePlace());
    const { path: command } = await required(kubeApiserver);
    return startServer({
      name: 'kube-apiserver',
      command,
      args: argsOf(data, credentials, address),
      address,
      timeoutMs: 180_000,
      ready: () => isReady(address, credentials),
    });
  },
};

function argsOf(data: Place, { folder }: KubeCredentials, address: Place): string[] {
  const file = (name: string): string => path.join(folder, name);
  return [
    `--etcd-servers=http://${data.host}:${data.port}`,
    `--bind-address=${address.host}`,
    `--secure-port=${address.port}`,
    '--advertise-address=127.0.0.1',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--tls-cert-file=${file('serving.crt')}`,
    `--tls-private-key-file=${file('serving.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    `--service-account-key-file=${file('accounts.key')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=RBAC',
    '--endpoint-reconciler-type=none',
    '--shutdown-watch-termination-grace-period=0s',
    `--cert-dir=${file('made')}`,
  ];
}

/** Until its roles are made it refuses whom it trusts too, and a lease needs its namespace. */
async function isReady(address: Place, credentials: KubeCredentials): Promise<boolean> {
  for (const path of ['/readyz', '/api/v1/namespaces/default'])
    if ((await askKube(address, credentials, 'GET', path).catch(() => 0)) !== 200) return false;
  return true;
}

/** Asks as the user who may do everything; gives the status. */
export function askKube(
  { host, port }: Place,
  { authority, adminToken }: KubeCredentials,
  method: string,
  path: string,
  json?: unknown,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' };
    const identity = { ca: authority.certificate, servername: kubeServerName };
    const asked = request({ host, port, path, method, headers, timeout: 5000, ...identity }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer`)));
    asked.on('error', reject);
    asked.end(json === undefined ? undefined : JSON.stringify(json));
  });
}
