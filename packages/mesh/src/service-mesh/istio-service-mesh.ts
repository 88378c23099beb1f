import type { KubernetesClient } from '@heddle/discovery/clients';
import { HeddleError } from '@heddle/kernel';
import { injectName } from '../inject/index.ts';
import { type Json, type JsonMembers, membersIn, objectsIn, textsIn, textOf } from '../inject/json-value.ts';
import { meshMetrics } from './mesh-metrics.ts';
import {
  checkedText,
  type MeshObject,
  securityObjects,
  serviceObject,
  sidecarObject,
  trafficObjects,
} from './mesh-objects.ts';
import type { MetricSource } from './prometheus-queries.ts';
import type {
  MeshMetrics,
  SecurityPolicy,
  ServiceEndpoint,
  ServiceInfo,
  ServiceMesh,
  SidecarConfig,
  TrafficRules,
} from './service-mesh.ts';

/** What it is made from. */
export interface IstioServiceMeshOptions {
  readonly client: KubernetesClient;
  /** Where all that it is told of lives. */
  readonly namespace: string;
  readonly metrics: MetricSource;
}

const owner = 'heddle-service-mesh';
const paths: Readonly<Record<string, string>> = {
  Service: 'services',
  ServiceEntry: 'serviceentries',
  Sidecar: 'sidecars',
  VirtualService: 'virtualservices',
  DestinationRule: 'destinationrules',
  PeerAuthentication: 'peerauthentications',
  AuthorizationPolicy: 'authorizationpolicies',
};

/**
 * Istio on Kubernetes: everything is an object that the API server keeps and Istio carries out. Objects are applied
 * (server-side), so that stating a thing again changes it, and what others have set in it stays. Refusals of the API
 * server reject as they come: `permission_denied` / `FORBIDDEN`, `invalid_argument` / `INVALID` …
 */
export class IstioServiceMesh implements ServiceMesh {
  readonly #options: IstioServiceMeshOptions;

  constructor(options: IstioServiceMeshOptions) {
    this.#options = options;
  }

  async registerService(service: ServiceInfo): Promise<void> {
    const { namespace } = this.#options;
    const object = serviceObject(service, namespace);
    await this.#apply([object], service.name);
    // A service that has moved would be known twice, and the one of before would win.
    const kind = object.kind === 'Service' ? 'ServiceEntry' : 'Service';
    const other = await this.#read(this.#collection(kind), service.name);
    if (other !== undefined && isOurs(other))
      await this.#options.client.ask({ method: 'DELETE', path: `${this.#collection(kind)}/${service.name}` });
  }

  async discoverServices(serviceName: string): Promise<readonly ServiceEndpoint[]> {
    const { client, namespace } = this.#options;
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const query = { labelSelector: `kubernetes.io/service-name=${serviceName}` };
    const slices = membersIn(await client.ask({ method: 'GET', path, query }));
    const entry = await this.#read(this.#collection('ServiceEntry'), serviceName);
    const found = [...objectsIn(slices['items']).flatMap(endpointsOfSlice), ...endpointsOfEntry(entry)];
    return [...new Map(found.map((each) => [`${each.address} ${each.port}`, each])).values()];
  }

  async injectSidecar(config: SidecarConfig): Promise<void> {
    const { client, namespace } = this.#options;
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${config.serviceName}`;
    // A Sidecar only says what is reached: what puts a proxy beside an application is the label of its pods.
    if (
      (await this.#read(`/apis/apps/v1/namespaces/${namespace}/deployments`, config.serviceName)) ===
      undefined
    )
      throw noWorkload(config.serviceName, namespace);
    await this.#apply([sidecarObject(config, namespace)], config.serviceName);
    const annotations = annotationsOf(config);
    const template = {
      metadata: {
        labels: { [injectName]: 'true' },
        ...(Object.keys(annotations).length > 0 && { annotations }),
      },
    };
    await client.ask({
      method: 'PATCH',
      path,
      query: { fieldManager: owner, force: 'true' },
      json: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: config.serviceName, namespace },
        spec: { template },
      },
    });
  }

  async configureTraffic(rules: TrafficRules): Promise<void> {
    await this.#apply(trafficObjects(rules, this.#options.namespace), rules.serviceName);
  }

  async enableSecurity(policy: SecurityPolicy): Promise<void> {
    await this.#apply(securityObjects(policy, this.#options.namespace), policy.serviceName);
  }

  getMetrics(): Promise<MeshMetrics> {
    return meshMetrics(this.#options.metrics);
  }

  /** All are looked at before the first is sent. */
  async #apply(objects: readonly MeshObject[], subject: string): Promise<void> {
    checkedText(objects, subject);
    for (const object of objects) {
      const labels = { ...object.metadata.labels, 'app.kubernetes.io/managed-by': owner };
      await this.#options.client.ask({
        method: 'PATCH',
        path: `${this.#collection(object.kind)}/${object.metadata.name}`,
        query: { fieldManager: owner, force: 'true', fieldValidation: 'Strict' },
        json: { ...object, metadata: { ...object.metadata, labels } },
      });
    }
  }

  #collection(kind: string): string {
    const { namespace } = this.#options;
    if (kind === 'Service') return `/api/v1/namespaces/${namespace}/services`;
    const group = kind.endsWith('Authentication') || kind.endsWith('Policy') ? 'security' : 'networking';
    return `/apis/${group}.istio.io/v1/namespaces/${namespace}/${paths[kind] ?? ''}`;
  }

  /** Undefined where there is none. */
  async #read(collection: string, name: string): Promise<JsonMembers | undefined> {
    try {
      return membersIn(await this.#options.client.ask({ method: 'GET', path: `${collection}/${name}` }));
    } catch (thrown) {
      if (HeddleError.from(thrown).is('not_found')) return undefined;
      throw thrown;
    }
  }
}

function isOurs(object: JsonMembers): boolean {
  const labels = membersIn(object['metadata'])['labels'];
  return textsIn(labels)['app.kubernetes.io/managed-by'] === owner;
}

function annotationsOf({ proxyImage, resources = {} }: SidecarConfig): JsonMembers {
  const wanted: Readonly<Record<string, string | undefined>> = {
    proxyImage,
    proxyCPU: resources.cpuRequest,
    proxyCPULimit: resources.cpuLimit,
    proxyMemory: resources.memoryRequest,
    proxyMemoryLimit: resources.memoryLimit,
  };
  const written = Object.entries(wanted).filter(([, value]) => value !== undefined);
  return Object.fromEntries(written.map(([name, value]) => [`sidecar.istio.io/${name}`, value]));
}

function endpointsOfSlice(slice: JsonMembers): readonly ServiceEndpoint[] {
  const ports = objectsIn(slice['ports']).map(({ port }) => Number(port));
  return objectsIn(slice['endpoints']).flatMap((each) => {
    const { ready, terminating } = membersIn(each['conditions']);
    const addresses = Array.isArray(each['addresses']) ? each['addresses'].map(textOf) : [];
    return addresses.flatMap((address) =>
      ports.map((port) => ({
        address,
        port,
        weight: undefined,
        // Not said is ready, as Kubernetes has it.
        healthy: ready !== false && terminating !== true,
        metadata: {
          ...named('pod', membersIn(each['targetRef'])['name']),
          ...named('node', each['nodeName']),
        },
        zone: typeof each['zone'] === 'string' ? each['zone'] : '',
        region: '',
      })),
    );
  });
}

function endpointsOfEntry(entry: JsonMembers | undefined): readonly ServiceEndpoint[] {
  const spec = membersIn(entry?.['spec']);
  const ports = objectsIn(spec['ports']).map(({ number, targetPort }) => Number(targetPort ?? number));
  return objectsIn(spec['endpoints']).flatMap((each) => {
    const [region = '', zone = ''] = textOf(each['locality'] ?? '').split('/');
    return ports.map((port) => ({
      address: textOf(each['address']),
      port,
      weight: typeof each['weight'] === 'number' ? each['weight'] : undefined,
      // Nobody looks after them but the proxies that call them.
      healthy: true,
      metadata: textsIn(each['labels']),
      zone,
      region,
    }));
  });
}

function named(name: string, value: Json | undefined): Readonly<Record<string, string>> {
  return typeof value === 'string' ? { [name]: value } : {};
}

function noWorkload(name: string, namespace: string): HeddleError {
  const message = `there is no Deployment "${name}" in ${namespace} to put a sidecar beside`;
  return new HeddleError({ code: 'not_found', reason: 'NO_WORKLOAD', message, sent: false });
}
