import type { Registry } from '@heddle/discovery';
import { type Disk, HeddleError } from '@heddle/kernel';
import { parseAllDocuments } from 'yaml';
import { injectTexts, type InjectSettings } from '../inject/index.ts';
import { isMembers } from '../inject/json-value.ts';
import { objectsOf, podPlace } from '../inject/pod-places.ts';
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
export interface BuiltInServiceMeshOptions {
  readonly namespace: string;
  /** The folder of rules that the control plane watches (`heddle control-plane --mesh DIR`). */
  readonly rules: Disk;
  /** Of the instances that run. */
  readonly registry: Pick<Registry, 'instances'>;
  readonly metrics: MetricSource;
  /** A folder with the manifests of workloads, and how their sidecars are made. Left out: sidecars cannot be injected. */
  readonly manifests?: { readonly disk: Disk; readonly settings: InjectSettings };
}

/**
 * The mesh of Heddle's own control plane: rules are files that it watches, a file for each thing that is stated of a
 * service, instances are those of the registry, sidecars are added to manifests.
 */
export class BuiltInServiceMesh implements ServiceMesh {
  readonly #options: BuiltInServiceMeshOptions;

  constructor(options: BuiltInServiceMeshOptions) {
    this.#options = options;
  }

  async registerService(service: ServiceInfo): Promise<void> {
    await this.#write('service', service.name, [serviceObject(service, this.#options.namespace)]);
  }

  async discoverServices(serviceName: string): Promise<readonly ServiceEndpoint[]> {
    const { instances } = await this.#options.registry.instances(serviceName);
    return instances.map(({ address, port, weight, state, health, metadata, zone, region }) => ({
      address,
      port,
      weight,
      healthy: state === 'running' && health !== 'critical',
      metadata,
      zone,
      region,
    }));
  }

  async injectSidecar(config: SidecarConfig): Promise<void> {
    const { namespace, manifests } = this.#options;
    const name = config.serviceName;
    if (manifests === undefined) {
      const message = 'this mesh was given no folder of manifests to put sidecars into';
      throw new HeddleError({ code: 'failed_precondition', reason: 'NO_MANIFESTS', message, sent: false });
    }
    const { disk } = manifests;
    const settings: InjectSettings = {
      ...manifests.settings,
      byDefault: true,
      ...(config.proxyImage !== undefined && { image: config.proxyImage }),
      ...(config.resources !== undefined && { resources: config.resources }),
    };
    const files = (await disk.list('')).filter((file) => /\.(?:ya?ml|json)$/.test(file));
    let found = 0;
    for (const file of files) {
      const text = new TextDecoder().decode(await disk.read(file));
      if (!isAbout(text, name, namespace)) continue;
      const { texts, injected, kept, notes } = injectTexts([{ file, text }], { settings, namespace });
      if (injected + kept === 0) throw refused(notes);
      found += 1;
      const after = texts[0]?.text ?? text;
      if (after !== text) await disk.replace(file, new TextEncoder().encode(after));
    }
    if (found === 0) throw noWorkload(name, namespace);
    await this.#write('sidecar', name, [sidecarObject(config, namespace)]);
  }

  async configureTraffic(rules: TrafficRules): Promise<void> {
    await this.#write('traffic', rules.serviceName, trafficObjects(rules, this.#options.namespace));
  }

  async enableSecurity(policy: SecurityPolicy): Promise<void> {
    await this.#write('security', policy.serviceName, securityObjects(policy, this.#options.namespace));
  }

  getMetrics(): Promise<MeshMetrics> {
    return meshMetrics(this.#options.metrics);
  }

  async #write(what: string, name: string, objects: readonly MeshObject[]): Promise<void> {
    const { namespace, rules } = this.#options;
    if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) throw badName(name);
    const file = `${namespace}.${name}.${what}.yaml`;
    await rules.replace(file, new TextEncoder().encode(checkedText(objects, file)));
  }
}

/** Whether all that makes pods in a text is this workload. */
function isAbout(text: string, name: string, namespace: string): boolean {
  const places = parseAllDocuments(text, { merge: true }).flatMap((document) => {
    const data: unknown = 'toJS' in document ? document.toJS({ maxAliasCount: 100 }) : undefined;
    return isMembers(data) ? objectsOf(data).flatMap(({ object }) => podPlace(object, namespace) ?? []) : [];
  });
  const own = places.filter((each) => each.workload.name === name && each.namespace === namespace);
  if (own.length === 0) return false;
  if (own.length === places.length) return true;
  const message = `the manifest of "${name}" has other workloads too; put each into a file of its own, or use heddle inject`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'SHARED_MANIFEST', message, sent: false });
}

function refused(notes: readonly string[]): HeddleError {
  return new HeddleError({
    code: 'failed_precondition',
    reason: 'NOT_INJECTED',
    message: notes.join('; '),
    sent: false,
  });
}

function noWorkload(name: string, namespace: string): HeddleError {
  const message = `no manifest has a workload "${name}" of ${namespace}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_WORKLOAD', message, sent: false });
}

function badName(name: string): HeddleError {
  const message = `a service: expected a name of DNS in small letters, found ${JSON.stringify(name.slice(0, 100))}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_RESOURCES', message, sent: false });
}
