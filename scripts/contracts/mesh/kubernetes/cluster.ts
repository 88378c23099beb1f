// A real API server with the published definitions of Istio's resources, and what the cases ask of it.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { KubernetesClient } from '@heddle/discovery/clients';
import { nodeRuntime } from '@heddle/kernel/node';
import { parseAllDocuments } from 'yaml';
import { dataFolder } from '../../../engines/cache.ts';
import type { Place } from '../../../engines/engine.ts';
import { etcd } from '../../../engines/etcd.ts';
import {
  kubeApiserver,
  type KubeCredentials,
  kubeCredentials,
  kubeServerName,
} from '../../../engines/kube-apiserver.ts';

/** Where the definitions are, as Istio publishes them. */
export const definitions: string = path.resolve(
  import.meta.dirname,
  '../../../../../shared/data/crds/istio.yaml',
);
const patienceMs = 60_000;

/** Any object of the API. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [part: string]: unknown;
}

/** A server that runs. */
export interface Cluster {
  readonly client: KubernetesClient;
  readonly address: Place;
  /** One for whoever has a token; whoever asks for it closes it. */
  clientOf(token: string): KubernetesClient;
  readonly credentials: KubeCredentials;
  readonly runtime: ReturnType<typeof nodeRuntime>;
  /** Makes an object, with no field that the server does not know; gives it as it is kept. Rejects as the client does. */
  create(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<KubeObject>;
  get(object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<KubeObject>;
  /** With a `default` service account, as the controllers of a whole cluster would make it. */
  namespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one, which takes some seconds. */
export async function startCluster(): Promise<Cluster> {
  const folder = dataFolder('kube-mesh');
  const credentials = kubeCredentials(folder);
  const data = await etcd.start({});
  const server = await kubeApiserver.start({ etcd: data.address, credentials });
  const runtime = nodeRuntime({ name: 'mesh', logLevel: 'error' });
  const clientOf = (token: string): KubernetesClient => {
    const access = {
      address: server.address,
      tls: { current: { identities: [], trust: credentials.authority.certificate } },
      serverName: kubeServerName,
      token: () => Promise.resolve(token),
      namespace: 'default',
    };
    return new KubernetesClient({ runtime, access, timeoutMs: 20_000 });
  };
  const client = clientOf(credentials.adminToken);
  const cluster: Cluster = {
    client,
    address: server.address,
    clientOf,
    credentials,
    runtime,
    create: async (object, { dryRun = false } = {}) => {
      const query = { fieldValidation: 'Strict', ...(dryRun && { dryRun: 'All' }) };
      return (await client.ask({
        method: 'POST',
        path: collection(object),
        query,
        json: object,
      })) as KubeObject;
    },
    get: async (object) =>
      (await client.ask({
        method: 'GET',
        path: `${collection(object)}/${object.metadata.name}`,
      })) as KubeObject,
    namespace: async (name, labels = {}) => {
      await cluster.create({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels } as KubeObject['metadata'],
      });
      await cluster.create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: name },
      });
    },
    stop: async () => {
      client.close();
      await server.stop();
      await data.stop();
      rmSync(folder, { recursive: true });
    },
  };
  await install(cluster);
  return cluster;
}

/** The objects of a text. */
export function objectsIn(text: string): readonly KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
}

/** Until it is so; rejects with what it said last. */
export async function eventually<T>(look: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const clusterWide = new Set([
  'Namespace',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
  'ClusterRole',
  'ClusterRoleBinding',
]);

/** Where objects of a kind are: the plural as the API has it. */
function collection({
  apiVersion,
  kind,
  metadata,
}: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  const plural = `${kind.toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse')}s`;
  const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return clusterWide.has(kind)
    ? `${group}/${plural}`
    : `${group}/namespaces/${metadata.namespace ?? 'default'}/${plural}`;
}

async function install(cluster: Cluster): Promise<void> {
  const all = objectsIn(readFileSync(definitions, 'utf8'));
  for (const definition of all) await cluster.create(definition);
  const served = ['networking.istio.io/v1/virtualservices', 'security.istio.io/v1/authorizationpolicies'];
  for (const path of served)
    await eventually(() => cluster.client.ask({ method: 'GET', path: `/apis/${path}` }));
}
