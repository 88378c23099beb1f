// The config centre in Kubernetes' real API server: a namespace for each case.
import { rmSync } from 'node:fs';
import { KubernetesStore } from '@heddle/config';
import { dataFolder } from '../../engines/cache.ts';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { etcd } from '../../engines/etcd.ts';
import {
  askKube,
  type KubeCredentials,
  kubeApiserver,
  kubeCredentials,
  kubeServerName,
} from '../../engines/kube-apiserver.ts';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { quietRuntime, stageOf } from './stage.ts';

interface Cluster {
  readonly folder: string;
  readonly credentials: KubeCredentials;
  readonly data: Running;
  server: Running;
}

let cluster: Cluster | undefined;
let namespaces = 0;

/** On the real server; the one that is killed is the API server, over the same etcd. */
export const kubernetesConfig: Contract = configContract({
  backend: 'kubernetes',
  prepare: async () => {
    const data = await obtain(etcd);
    if (isMissing(data)) return data;
    const found = await obtain(kubeApiserver);
    if (!isMissing(found)) cluster = await start();
    return found;
  },
  stage: async () => {
    if (cluster === undefined) throw new Error('not prepared');
    const { credentials } = cluster;
    const { address } = cluster.server;
    const namespace = `config-${namespaces++}`;
    const path = '/api/v1/namespaces';
    const status = await askKube(address, credentials, 'POST', path, { metadata: { name: namespace } });
    if (status >= 300) throw new Error(`a namespace was refused with ${status}`);
    return stageOf({
      target: () => address,
      open: async (at) => open(at ?? address, credentials, namespace),
      restart: () => restart(cluster as Cluster),
      contents: async () => {
        const store = open(address, credentials, namespace);
        const places = await store.places();
        const versions = await Promise.all(places.map((place) => store.read(place, 0, 1000)));
        await store.close();
        return JSON.stringify(versions);
      },
    });
  },
  end: async () => {
    await cluster?.server.stop();
    await cluster?.data.stop();
    if (cluster !== undefined) rmSync(cluster.folder, { recursive: true });
    cluster = undefined;
  },
});

async function start(): Promise<Cluster> {
  const folder = dataFolder('kube-config');
  const credentials = kubeCredentials(folder);
  const data = await etcd.start({});
  return {
    folder,
    credentials,
    data,
    server: await kubeApiserver.start({ etcd: data.address, credentials }),
  };
}

async function restart(one: Cluster): Promise<void> {
  const { address, pid } = one.server;
  process.kill(pid, 'SIGKILL');
  await one.server.stop();
  one.server = await kubeApiserver.start({ etcd: one.data.address, credentials: one.credentials, address });
}

function open(
  address: Place,
  { authority, adminToken }: KubeCredentials,
  namespace: string,
): KubernetesStore {
  const access = {
    address,
    tls: { current: { identities: [], trust: authority.certificate } },
    serverName: kubeServerName,
    token: () => Promise.resolve(adminToken),
    namespace,
  };
  return new KubernetesStore({ runtime: quietRuntime, access, namespace, timeoutMs: 6000 });
}
